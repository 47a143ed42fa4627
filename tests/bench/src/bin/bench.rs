//! `bench [NAME…] [--long] [--short]`: measures, and prints one table. Ends with 1 if a row
//! does not hold, with 2 if the command line makes no sense.

fn main() {}
