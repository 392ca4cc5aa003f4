//! How long something may be used: a cached value, keys that were typed in, a session with a provider.
//!
//! Time is told by two clocks. The monotonic one stands still while a laptop sleeps (Linux and macOS), the wall clock
//! may be set back; a life lasts only as long as both agree.

use std::time::{Duration, SystemTime};

use tokio::time::Instant;

/// No life is longer, whatever a server says: far beyond any session, and no clock overflows.
const LONGEST: Duration = Duration::from_secs(366 * 24 * 60 * 60);

/// From when to when something may be used, by both clocks.
#[derive(Clone, Copy, Debug)]
pub struct Life {
    end: Instant,
    wall_start: SystemTime,
    wall_end: SystemTime,
}

impl Life {
    /// A life that begins now.
    pub fn new(length: Duration) -> Self {
        Self::beginning_at(SystemTime::now(), length)
    }

    /// The same, where the caller has the wall clock.
    pub fn beginning_at(wall: SystemTime, length: Duration) -> Self {
        let length = length.min(LONGEST);
        // A wall clock at the end of its range tells nothing: such a life is over at once.
        Self { end: Instant::now() + length, wall_start: wall, wall_end: wall.checked_add(length).unwrap_or(wall) }
    }

    /// What is left; none when it is over.
    pub fn remaining(&self) -> Option<Duration> {
        self.remaining_at(SystemTime::now())
    }

    /// What is left by the stricter clock, where the caller has the wall clock; none when either says that it is over,
    /// or when the wall clock was set back behind the beginning.
    pub fn remaining_at(&self, wall: SystemTime) -> Option<Duration> {
        if wall < self.wall_start {
            return None;
        }
        let by_wall = self.wall_end.duration_since(wall).ok()?;
        let left = by_wall.min(self.end.saturating_duration_since(Instant::now()));
        (!left.is_zero()).then_some(left)
    }

    pub fn is_over(&self) -> bool {
        self.remaining().is_none()
    }
}

/// How often the wall clock is looked at while a life is waited for.
const GLANCE: Duration = Duration::from_secs(30);

/// Waits until `life` is over by either clock; a machine that slept meanwhile makes that a little late, never long.
pub async fn over(life: Life) {
    while let Some(left) = life.remaining() {
        tokio::time::sleep(left.min(GLANCE)).await;
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);

    /// What is left of an hour, in seconds, after the clocks moved by so many: forwards, and the wall also backwards.
    async fn check(monotonic: u64, wall: i64, expected: Option<u64>) {
        let begin = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000);
        let life = Life::beginning_at(begin, HOUR);
        advance(Duration::from_secs(monotonic)).await;
        let moved = Duration::from_secs(wall.unsigned_abs());
        let now = if wall < 0 { begin - moved } else { begin + moved };
        assert_eq!(life.remaining_at(now), expected.map(Duration::from_secs), "{monotonic} {wall}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_life_ends_by_either_clock() {
        check(0, 0, Some(3600)).await;
        check(3599, 3599, Some(1)).await;
        check(3600, 3600, None).await;
    }

    #[tokio::test(start_paused = true)]
    async fn the_end_of_a_life_can_be_waited_for() {
        let begin = Instant::now();
        over(Life::new(HOUR)).await;
        assert_eq!(begin.elapsed().as_secs(), HOUR.as_secs());
    }

    #[tokio::test(start_paused = true)]
    async fn a_machine_that_slept_counts_its_sleep() {
        check(60, 1800, Some(1800)).await;
        check(60, 3600, None).await;
        check(60, 7_000_000, None).await;
    }

    #[tokio::test(start_paused = true)]
    async fn a_wall_clock_that_was_set_back_lengthens_nothing() {
        check(1800, 60, Some(1800)).await;
        check(3600, 60, None).await;
        check(0, -1, None).await;
    }

    #[tokio::test(start_paused = true)]
    async fn no_length_and_no_clock_is_too_large() {
        assert_eq!(
            Life::beginning_at(SystemTime::UNIX_EPOCH, Duration::MAX).remaining_at(SystemTime::UNIX_EPOCH),
            Some(LONGEST)
        );
        // The last moment that the system can tell, which is not the same everywhere.
        let last = (0..63)
            .rev()
            .fold(SystemTime::UNIX_EPOCH, |at, bit| at.checked_add(Duration::from_secs(1 << bit)).unwrap_or(at));
        assert_eq!(Life::beginning_at(last, HOUR).remaining_at(last), None);
        assert!(Life::new(Duration::ZERO).is_over());
        assert!(!Life::new(HOUR).is_over());
    }
}
