//! What a start asks of the backend and of the keyring, however many accounts there are that no window
//! shows. The one read and the one write of the account that it shows are heard too, which is the
//! control.

use std::path::Path;

use vestibule_bench::counts::Counts;
use vestibule_bench::registry::runtime;
use vestibule_bench::rows::accounts::{Home, counts_of_start};

const START: Counts = Counts {
    requests: 1,
    reads: 1,
    writes: 1,
    deletions: 0,
    replaced: 0,
    removed: 0,
    in_place: 0,
};

#[test]
fn a_start_asks_for_as_much_with_six_accounts_as_with_one() {
    for accounts in [1, 6] {
        let counts = runtime().block_on(async {
            let program = Path::new(env!("CARGO_BIN_EXE_bench"));
            let home = Home::with(accounts, program).await?;
            counts_of_start(&home).await
        });
        assert_eq!(counts, Ok(START), "with {accounts}");
    }
}
