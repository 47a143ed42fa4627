//! Random numbers that are the same in every run: SplitMix64 by Steele, Lea and Flood.

pub struct Chance(u64);

impl Chance {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Uniform in [0, 1).
    pub fn draw(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^= bits >> 31;
        // An f64 represents integers of 53 bits exactly.
        (bits >> 11) as f64 / (1_u64 << 53) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_uniform_enough() {
        let mut chance = Chance::new(1);
        let mut tenths = [0_u32; 10];
        for _ in 0..100_000 {
            let drawn = chance.draw();
            assert!((0.0..1.0).contains(&drawn));
            tenths[(drawn * 10.0) as usize] += 1;
        }
        assert!(
            tenths.iter().all(|n| (9_500..10_500).contains(n)),
            "{tenths:?}"
        );
    }
}
