//! Measurement in turns: the contestants run one after the other in the same minutes, and each round begins with another
//! contestant. A disturbance of the machine then affects all of them.

use std::fs;
use std::time::{Duration, Instant};

use postgres::Client;

use testkit::session::one;

/// The length of a run.
pub struct Plan {
    pub quick: bool,
    begun: Instant,
}

impl Plan {
    pub fn new(quick: bool) -> Plan {
        Plan {
            quick,
            begun: Instant::now(),
        }
    }

    /// `quick` in a quick run, otherwise `full`.
    pub fn choose<T>(&self, full: T, quick: T) -> T {
        if self.quick { quick } else { full }
    }

    /// Prints a line of progress to standard error; the tables go to standard output.
    pub fn say(&self, what: &str) {
        let seconds = self.begun.elapsed().as_secs();
        eprintln!("[{:02}:{:02}] {what}", seconds / 60, seconds % 60);
    }

    /// The values of each contestant in each round; `turn` measures the contestant with an index. An unmeasured round
    /// warms up.
    pub fn rounds(&self, what: &str, contestants: usize, mut turn: impl FnMut(usize) -> f64) -> Vec<Series> {
        let rounds = self.choose(11, 3);
        self.say(&format!("{what}: {rounds} rounds of {contestants}"));
        let mut values = vec![Vec::with_capacity(rounds); contestants];
        for round in 0..=rounds {
            for step in 0..contestants {
                let index = (round + step) % contestants;
                let value = turn(index);
                if round > 0 {
                    values[index].push(value);
                }
            }
        }
        values.into_iter().map(Series).collect()
    }
}

/// One value for each round.
pub struct Series(Vec<f64>);

impl Series {
    pub fn new(values: &[f64]) -> Series {
        Series(values.to_vec())
    }

    pub fn min(&self) -> f64 {
        self.0.iter().copied().fold(f64::INFINITY, f64::min)
    }

    pub fn max(&self) -> f64 {
        self.0.iter().copied().fold(f64::NEG_INFINITY, f64::max)
    }

    pub fn median(&self) -> f64 {
        median(&mut self.0.clone())
    }

    /// These values less those of `other` in the same rounds.
    pub fn less(&self, other: &Series) -> Series {
        Series(self.0.iter().zip(&other.0).map(|(one, other)| one - other).collect())
    }

    /// The median of the rounds' ratios.
    pub fn ratio(&self, other: &Series) -> f64 {
        let mut ratios: Vec<f64> = self.0.iter().zip(&other.0).map(|(one, other)| one / other).collect();
        median(&mut ratios)
    }
}

pub fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    if values.len().is_multiple_of(2) {
        (values[middle - 1] + values[middle]) / 2.0
    } else {
        values[middle]
    }
}

/// The seconds that `work` takes.
pub fn seconds(work: impl FnOnce()) -> f64 {
    let begun = Instant::now();
    work();
    begun.elapsed().as_secs_f64()
}

/// The seconds that a session's process runs on a processor, without those in which it waits for one.
pub struct Processor {
    /// proc(5): `state`, and the nanoseconds so far.
    stat: String,
    schedstat: String,
}

impl Processor {
    pub fn of(client: &mut Client) -> Processor {
        let pid: i32 = one(client, "select pg_backend_pid()");
        Processor {
            stat: format!("/proc/{pid}/stat"),
            schedstat: format!("/proc/{pid}/schedstat"),
        }
    }

    /// The processor seconds of a statement, which must end within `work`. Clock time where the kernel does not count.
    pub fn seconds(&self, work: impl FnOnce()) -> f64 {
        let before = self.so_far();
        let took = seconds(work);
        match (before, self.so_far()) {
            (Some(before), Some(after)) => (after - before) / 1e9,
            _ => took,
        }
    }

    /// The nanoseconds so far. The kernel's number is exact only while the process sleeps.
    pub fn so_far(&self) -> Option<f64> {
        while !fs::read_to_string(&self.stat).ok()?.contains(") S ") {
            std::thread::yield_now();
        }
        std::thread::sleep(Duration::from_micros(100));
        fs::read_to_string(&self.schedstat)
            .ok()?
            .split(' ')
            .next()?
            .parse()
            .ok()
    }
}

/// A number with its significant digits.
pub fn number(value: f64) -> String {
    match value.abs() {
        large if large >= 1000.0 => format!("{value:.0}"),
        large if large >= 100.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

/// Prints a table in Markdown, under a heading.
pub fn table(heading: &str, columns: &[&str], rows: &[Vec<String>]) {
    let mut widths: Vec<usize> = columns.iter().map(|column| column.chars().count()).collect();
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let line = |cells: &[String]| {
        let cells = cells.iter().zip(&widths).enumerate();
        let cells = cells.map(|(index, (cell, &width))| match index {
            0 => format!("{cell:<width$}"),
            _ => format!("{cell:>width$}"),
        });
        format!("| {} |", cells.collect::<Vec<_>>().join(" | "))
    };
    let heads: Vec<String> = columns.iter().map(|&column| column.to_owned()).collect();
    let rule = widths.iter().enumerate().map(|(index, &width)| match index {
        0 => "-".repeat(width),
        _ => format!("{}:", "-".repeat(width - 1)),
    });
    println!("\n### {heading}\n\n{}", line(&heads));
    println!("{}", line(&rule.collect::<Vec<_>>()));
    for row in rows {
        println!("{}", line(row));
    }
}
