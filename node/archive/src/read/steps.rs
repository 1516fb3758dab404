//! Sums of shares by time, of the pool or of one script.

use bitcoin::ScriptBuf;
use tokio_postgres::Row;

use super::links::{number, time, unsigned, weight};
use super::pool::Archive;
use crate::error::ArchiveError;
use crate::value::{Numeric, Time};

/// What was found in one time step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// Start of the step, seconds since 1970.
    pub start: u32,
    /// Number of valid shares, links included.
    pub shares: u32,
    /// Number of links.
    pub links: u32,
    /// Number of distinct payout scripts.
    pub miners: u32,
    /// Expected hashes to find these shares.
    pub hashes: u128,
}

/// What a script found lately.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mean {
    /// Expected hashes of its shares since the later time.
    pub late: u128,
    /// Expected hashes of its shares since the earlier time.
    pub early: u128,
    /// Time and expected hashes of its first share.
    pub first: Option<(u32, u128)>,
}

/// Sums of `share` from `$2` up to `$3`, in steps of `$1` seconds.
macro_rules! steps {
    ($of:literal) => {
        concat!(
            "select date_bin($1::int4 * interval '1 second', time, 'epoch') as start, count(*), ",
            "count(*) filter (where is_link), count(distinct script), sum(hashes) from share ",
            "where time >= $2 and time < $3",
            $of,
            " group by start order by start desc"
        )
    };
}

impl Step {
    fn read(row: &Row) -> Result<Self, ArchiveError> {
        let count = |column| unsigned(row.try_get::<_, i64>(column)?, "a number of shares");
        Ok(Self {
            start: time(row, 0)?,
            shares: count(1)?,
            links: count(2)?,
            miners: count(3)?,
            hashes: weight(row.try_get(4)?)?,
        })
    }
}

impl Archive {
    /// What the pool found from one time up to another, newest step first. Steps without shares are left out.
    ///
    /// # Errors
    /// The database cannot be read. So below.
    pub async fn steps(&self, step_s: i32, since: u32, until: u32) -> Result<Vec<Step>, ArchiveError> {
        let rows = self.rows(steps!(""), &[&step_s, &Time(since), &Time(until)]).await?;
        rows.iter().map(Step::read).collect()
    }

    /// As [`Archive::steps`], for times that a reader chose.
    ///
    /// # Errors
    /// As [`Archive::steps`], or too many such sums are requested at once.
    pub async fn steps_asked(&self, step_s: i32, since: u32, until: u32) -> Result<Vec<Step>, ArchiveError> {
        let rows = self.sums(steps!(""), &[&step_s, &Time(since), &Time(until)]).await?;
        rows.iter().map(Step::read).collect()
    }

    /// As [`Archive::steps_asked`], of one script.
    ///
    /// # Errors
    /// As [`Archive::steps_asked`].
    pub async fn steps_of(
        &self,
        script: &ScriptBuf,
        step_s: i32,
        since: u32,
        until: u32,
    ) -> Result<Vec<Step>, ArchiveError> {
        // Its index is by height; links are a little out of order in time.
        let sql = steps!(
            " and script = (select number from script where script.script = $4)
             and height >= (select height - 60 from link where link.time >= $2 order by link.time limit 1)"
        );
        let rows = self.sums(sql, &[&step_s, &Time(since), &Time(until), &script.as_bytes()]).await?;
        rows.iter().map(Step::read).collect()
    }

    /// What a script found since a later and since an earlier time.
    ///
    /// # Errors
    /// As [`Archive::steps_asked`].
    pub async fn mean(&self, script: &ScriptBuf, late: u32, early: u32) -> Result<Mean, ArchiveError> {
        let sql = "select coalesce(sum(hashes) filter (where time >= $2), 0), coalesce(sum(hashes), 0) from share
            where time >= $3 and script = (select number from script where script.script = $1)
            and height >= (select height - 60 from link where link.time >= $3 order by link.time limit 1)";
        let rows = self.sums(sql, &[&script.as_bytes(), &Time(late), &Time(early)]).await?;
        let sums = match rows.first() {
            Some(row) => (weight(row.try_get(0)?)?, weight(row.try_get(1)?)?),
            None => (0, 0),
        };
        let sql = "select time, hashes from share
            where script = (select number from script where script.script = $1) order by height, time limit 1";
        let first = self.row(sql, &[&script.as_bytes()]).await?;
        let first = first.map(|row| Ok::<_, ArchiveError>((time(&row, 0)?, weight(row.try_get(1)?)?))).transpose()?;
        Ok(Mean { late: sums.0, early: sums.1, first })
    }

    /// Expected hashes of the pool's shares after one time up to another, by the height that each would have as a Bitcoin
    /// block.
    ///
    /// # Errors
    /// As [`Archive::steps`].
    pub async fn hashes_between(&self, after: u32, until: u32) -> Result<Vec<(u32, u128)>, ArchiveError> {
        let sql = "select bitcoin_height, sum(hashes) from share where time > $1 and time <= $2 group by 1";
        let rows = self.rows(sql, &[&Time(after), &Time(until)]).await?;
        rows.iter().map(|row| Ok((number(row, 0)?, weight(row.try_get::<_, Numeric>(1)?)?))).collect()
    }
}
