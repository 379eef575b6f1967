//! Chance that is the same in every run: Marsaglia's xorshift64 ("Xorshift RNGs", 2003), and JSON texts made with it.

pub struct Chance(u64);

impl Chance {
    pub fn seeded(seed: u64) -> Self {
        assert_ne!(seed, 0, "xorshift stays at zero");
        Chance(seed)
    }

    /// A number below `bound`.
    pub fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap() % bound
    }

    pub fn pick<'a, T: ?Sized>(&mut self, from: &[&'a T]) -> &'a T {
        from[self.below(from.len())]
    }

    pub fn byte(&mut self) -> u8 {
        u8::try_from(self.below(256)).unwrap()
    }

    /// One change of a text: a byte replaced, put in or taken out, a stretch doubled or cut.
    pub fn mutate(&mut self, bytes: &mut Vec<u8>) {
        let at = self.below(bytes.len().max(1));
        let end = (at + 1 + self.below(8)).min(bytes.len());
        match self.below(7) {
            _ if bytes.is_empty() => bytes.push(self.byte()),
            0 => bytes[at] = self.byte(),
            1 => bytes[at] ^= 1 << self.below(8),
            2 => bytes.insert(at, self.pick(&[b".", b"\"", b"\\", b"{", b"A", b"=", b"0"])[0]),
            3 => drop(bytes.remove(at)),
            4 => bytes.extend_from_within(at..end),
            5 => drop(bytes.drain(at..end)),
            _ => bytes.truncate(at),
        }
    }

    /// A JSON text, mostly one that the judge keeps, sometimes one that it refuses.
    pub fn json(&mut self, depth: usize) -> String {
        match self.below(if depth == 0 { 5 } else { 7 }) {
            0 => self.pick(&["null", "true", "false"]).to_owned(),
            1 => self
                .pick(&[
                    "0",
                    "-1",
                    "1.5",
                    "1e3",
                    "12345678901234567890123",
                    "-0.0",
                    "1e-400",
                    "0.1e-7",
                ])
                .to_owned(),
            2..=4 => self.string(),
            5 => {
                let elements: Vec<_> = (0..self.below(4)).map(|_| self.json(depth - 1)).collect();
                format!("[{}]", elements.join(" , "))
            }
            _ => self.object(depth),
        }
    }

    pub fn object(&mut self, depth: usize) -> String {
        let members: Vec<_> = (0..self.below(4))
            .map(|_| format!("{}:{}", self.string(), self.json(depth.saturating_sub(1))))
            .collect();
        format!("{{{}}}", members.join(","))
    }

    fn string(&mut self) -> String {
        const PIECES: &[&str] = &[
            "a",
            "sub",
            "ä",
            "😀",
            "\u{7f}",
            "\u{85}",
            "/",
            r"\/",
            r#"\""#,
            r"\\",
            r"\n",
            r"\t",
            r"\b",
            r"\f",
            r"\r",
            r"\u0041",
            r"\u007f",
            r"\u0080",
            r"\u00e4",
            r"\u00E4",
            r"\u0416",
            r"\u20ac",
            r"\ufeff",
            r"\uffff",
            r"\uD83D\uDE00",
            r"\ud834\udd1e",
            r"\udbff\udfff",
            r"\\u00e4",
            r"\\\u00e4",
            r"\u005cu00e4",
            r"\u0022",
            r"\u001f",
        ];
        let pieces: String = (0..self.below(6)).map(|_| self.pick(PIECES)).collect();
        format!("\"{pieces}\"")
    }
}
