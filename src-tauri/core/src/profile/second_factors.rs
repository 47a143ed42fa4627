//! The second factors of a profile: which method each endpoint takes the codes of, what an answer
//! calls it, and what its codes look like.

use super::model::{Code, Endpoint, Otp};
use super::rules::SignInCall;
use super::verbs::{Endpoints, Verb};
use super::{Placeholder, Profile};
use crate::wire::{CodeForm, CodeMethod, OfferedMethod};

/// The length of a code, where the profile says nothing.
const LENGTH: u8 = 6;

impl CodeMethod {
    /// All methods, in the order in which they are offered where a backend has no other. A recovery
    /// code is used up, so it comes last.
    pub const ALL: [Self; 3] = [Self::Otp, Self::Totp, Self::Recovery];

    /// Its key in a profile, and what an answer calls it by default.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Otp => "otp",
            Self::Totp => "totp",
            Self::Recovery => "recovery",
        }
    }

    /// The verb whose endpoint takes its codes.
    pub const fn verb(self) -> Verb {
        match self {
            Self::Otp => Verb::VerifyOtp,
            Self::Totp => Verb::VerifyTotp,
            Self::Recovery => Verb::VerifyRecovery,
        }
    }
}

impl SignInCall {
    /// The call that checks a code of this method.
    pub const fn verifying(method: CodeMethod) -> Self {
        match method {
            CodeMethod::Otp => Self::VerifyOtp,
            CodeMethod::Totp => Self::VerifyTotp,
            CodeMethod::Recovery => Self::VerifyRecovery,
        }
    }

    /// The method whose code this call checks, if it checks one.
    pub const fn verified(self) -> Option<CodeMethod> {
        match self {
            Self::VerifyOtp => Some(CodeMethod::Otp),
            Self::VerifyTotp => Some(CodeMethod::Totp),
            Self::VerifyRecovery => Some(CodeMethod::Recovery),
            Self::Login | Self::Register | Self::SendOtp | Self::Browser => None,
        }
    }
}

impl Endpoints {
    /// The endpoint that takes the codes of this method.
    pub fn verify(&self, method: CodeMethod) -> Option<&Endpoint> {
        match method {
            CodeMethod::Otp => self.verify_otp.get(),
            CodeMethod::Totp => self.verify_totp.get(),
            CodeMethod::Recovery => self.verify_recovery.get(),
        }
    }

    /// The endpoint that sends a code: the first of a challenge, or another one.
    pub fn send_code(&self, is_first: bool) -> Option<&Endpoint> {
        let (send, resend) = (self.send_otp.get(), self.resend_otp.get());
        match is_first {
            true => send.or(resend),
            false => resend.or(send),
        }
    }

    /// Whether one of the endpoints that take codes sends this placeholder.
    pub fn any_verify_asks_for(&self, placeholder: Placeholder) -> bool {
        let mut all = CodeMethod::ALL.into_iter();
        all.any(|method| {
            let endpoint = self.verify(method);
            endpoint.is_some_and(|endpoint| endpoint.asks_for(placeholder))
        })
    }
}

impl Otp {
    /// What the profile says of the codes of this method.
    pub(super) fn code(&self, method: CodeMethod) -> &Code {
        match method {
            CodeMethod::Otp => &self.codes.otp,
            CodeMethod::Totp => &self.codes.totp,
            CodeMethod::Recovery => &self.codes.recovery,
        }
    }

    /// What a code of this method looks like.
    pub fn form(&self, method: CodeMethod) -> CodeForm {
        let code = self.code(method);
        let is_recovery = method == CodeMethod::Recovery;
        let length = code.length.as_ref().map(|length| length.get().copied());
        CodeForm {
            length: length.unwrap_or((!is_recovery).then_some(LENGTH)),
            letters: code.letters.unwrap_or(is_recovery),
        }
    }

    /// Whether an answer may call this method so.
    fn is_called(&self, method: CodeMethod, name: &str) -> bool {
        match &self.code(method).names {
            Some(names) => names.iter().any(|held| held == name),
            None => method.key() == name,
        }
    }
}

impl Profile {
    /// The methods whose codes some endpoint takes.
    pub(super) fn methods(&self) -> impl Iterator<Item = CodeMethod> {
        let all = CodeMethod::ALL.into_iter();
        all.filter(|method| self.endpoints.verify(*method).is_some())
    }

    /// The methods on offer: those that an answer names, in its order, or where it names none, those
    /// that the profile has. Recovery codes come last.
    pub fn offered_methods(&self, named: Option<&[String]>) -> Vec<CodeMethod> {
        let mut offered = match (named, self.otp.default_methods.as_slice()) {
            (None, []) => self.methods().collect(),
            (None, default) => default.to_vec(),
            (Some(names), _) => {
                let mut found = Vec::new();
                for name in names {
                    let called = self.methods().filter(|it| self.otp.is_called(*it, name));
                    let new: Vec<_> = called.filter(|method| !found.contains(method)).collect();
                    found.extend(new);
                }
                found
            }
        };
        offered.sort_by_key(|method| *method == CodeMethod::Recovery);
        offered
    }

    /// These methods as windows see them, before a code was sent.
    pub fn described(&self, methods: &[CodeMethod]) -> Vec<OfferedMethod> {
        let sends = self.endpoints.send_code(true).is_some();
        let of = |method: &CodeMethod| OfferedMethod {
            method: *method,
            form: self.otp.form(*method),
            can_be_sent: *method == CodeMethod::Otp && sends,
            sent_to: None,
            can_trust_device: self.can_trust_device(*method),
        };
        methods.iter().map(of).collect()
    }

    /// Whether a code of this method can come with the wish that this device be trusted.
    fn can_trust_device(&self, method: CodeMethod) -> bool {
        let endpoint = self.endpoints.verify(method);
        endpoint.is_some_and(|endpoint| endpoint.asks_for(Placeholder::TrustDevice))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn profile(more: &Value) -> Profile {
        let mut value = json!({"endpoints": {
            "verify_totp": {"path": "/totp", "body": {"c": "$otp", "t": "$trust_device"}},
            "verify_recovery": {"path": "/recovery", "body": {"c": "$otp"}},
        }});
        value["otp"] = more.clone();
        Profile::from_json(value).expect("a profile")
    }

    fn named(profile: &Profile, names: &[&str]) -> Vec<CodeMethod> {
        let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
        profile.offered_methods(Some(&names))
    }

    #[test]
    fn an_answer_names_the_methods_by_the_backends_words() {
        use CodeMethod::{Otp, Recovery, Totp};
        let plain = profile(&json!({"methods": ["/m"]}));
        assert_eq!(
            named(&plain, &["recovery", "totp", "otp"]),
            [Totp, Otp, Recovery]
        );
        assert_eq!(named(&plain, &["totp", "webauthn", "totp"]), [Totp]);
        assert!(named(&plain, &["webauthn"]).is_empty());
        assert!(named(&plain, &[]).is_empty(), "it names none");
        let own = profile(&json!({"methods": ["/m"], "codes": {
            "otp": {"names": ["email", "sms"]},
            "totp": {"names": ["authenticator"]},
            "recovery": {"names": ["authenticator", "backup"]},
        }}));
        assert_eq!(named(&own, &["sms", "email"]), [Otp]);
        assert_eq!(
            named(&own, &["authenticator"]),
            [Totp, Recovery],
            "one name, two methods"
        );
        assert!(named(&own, &["totp"]).is_empty(), "it is not called so");
    }

    #[test]
    fn an_answer_that_names_none_offers_what_the_profile_has() {
        use CodeMethod::{Otp, Recovery, Totp};
        let all = profile(&json!({"default_methods": []}));
        assert_eq!(all.offered_methods(None), [Otp, Totp, Recovery]);
        let some = profile(&json!({"methods": ["/m"], "default_methods": ["recovery", "totp"]}));
        assert_eq!(some.offered_methods(None), [Totp, Recovery]);
    }

    #[test]
    fn each_method_has_codes_of_its_own() {
        let form = |more: Value, method| {
            let form = profile(&more).otp.form(method);
            (form.length, form.letters)
        };
        let silent = || json!({"methods": ["/m"]});
        assert_eq!(form(silent(), CodeMethod::Otp), (Some(6), false));
        assert_eq!(form(silent(), CodeMethod::Totp), (Some(6), false));
        assert_eq!(form(silent(), CodeMethod::Recovery), (None, true));
        let own = || {
            json!({"methods": ["/m"], "codes": {
                "otp": {"length": 4}, "totp": {"length": 8}, "recovery": {"length": 10, "letters": false},
            }})
        };
        assert_eq!(form(own(), CodeMethod::Otp), (Some(4), false));
        assert_eq!(form(own(), CodeMethod::Totp), (Some(8), false));
        assert_eq!(form(own(), CodeMethod::Recovery), (Some(10), false));
        let any = json!({"methods": ["/m"], "codes": {"otp": {"length": false, "letters": true}}});
        assert_eq!(form(any, CodeMethod::Otp), (None, true));
    }

    #[test]
    fn a_device_is_trusted_where_the_body_says_so() {
        let profile = profile(&json!({"methods": ["/m"]}));
        assert!(profile.can_trust_device(CodeMethod::Totp));
        assert!(!profile.can_trust_device(CodeMethod::Recovery));
        assert!(!profile.can_trust_device(CodeMethod::Otp));
    }
}
