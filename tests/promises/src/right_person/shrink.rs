//! Shortens a sequence that loses: removes parts as long as the remaining sequence still loses.

use super::plan::{Op, Plan};

/// How often a sequence is tried before it counts as one that does not lose: the keyring's threads
/// may be faster than before.
const TRIES: usize = 2;

/// The shortest sequence that was found, and what it loses.
pub fn shrink(plan: &Plan, loses: impl Fn(&Plan) -> Option<String>) -> (Plan, Option<String>) {
    let lost = |ops: &[Op]| {
        let plan = Plan {
            ops: ops.to_vec(),
            ..plan.clone()
        };
        (0..TRIES).find_map(|_| loses(&plan))
    };
    let mut ops = plan.ops.clone();
    let mut what = None;
    let mut size = ops.len().div_ceil(2);
    while size > 0 {
        let mut at = 0;
        let mut is_shorter = false;
        while at < ops.len() {
            let mut fewer = ops.clone();
            fewer.drain(at..(at + size).min(ops.len()));
            match lost(&fewer) {
                Some(loss) => {
                    ops = fewer;
                    what = Some(loss);
                    is_shorter = true;
                }
                None => at += size,
            }
        }
        size = match size {
            1 if is_shorter => 1,
            size => size / 2,
        };
    }
    let plan = Plan {
        ops,
        ..plan.clone()
    };
    (plan, what)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_matters_is_left() {
        let mut plan = Plan::drawn(1, 30);
        plan.ops.extend([Op::Backup, Op::Mix, Op::Restore]);
        let loses = |plan: &Plan| {
            let at = |op: &Op| plan.ops.iter().position(|held| held == op);
            let (backup, restore) = (at(&Op::Backup)?, at(&Op::Restore)?);
            (backup < restore).then(|| "lost".to_owned())
        };
        let (short, what) = shrink(&plan, loses);
        assert_eq!(short.ops, [Op::Backup, Op::Restore]);
        assert_eq!(what.as_deref(), Some("lost"));
    }
}
