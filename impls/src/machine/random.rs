//! The generator behind [`Machine::random`](super::Machine::random), the same on every machine.

/// Where the generator of thread `index` begins: SplitMix64's finaliser, which spreads neighbouring seeds. Never 0, where
/// the generator would stay for ever.
pub(super) fn seeded(seed: u64, index: usize) -> u64 {
    let mut x = seed.wrapping_add((index as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15));
    x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    (x ^ (x >> 31)) | 1
}

/// A draw. xorshift64* (Vigna 2016): three shifts and a multiplication, enough to decorrelate back-off delays.
#[inline(always)]
pub(super) fn draw(state: &mut u64) -> u32 {
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    (state.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 32) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbouring_seeds_and_threads_draw_apart() {
        let first = |seed, index| draw(&mut seeded(seed, index));
        let mut draws: Vec<u32> =
            (0..20).flat_map(|seed| (0..20).map(move |index| first(seed, index))).collect();
        draws.sort_unstable();
        draws.dedup();
        assert_eq!(draws.len(), 400);
        // Bits are balanced: of 400 draws each is set in about half.
        for bit in 0..32 {
            let set = draws.iter().filter(|draw| *draw >> bit & 1 == 1).count();
            assert!((140..260).contains(&set), "bit {bit} is set in {set} of 400");
        }
    }
}
