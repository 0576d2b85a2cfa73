//! `drill takeover`: the story of `server/tests/takeover.rs` in full, where the test suite tells a part of it.

use anyhow::Result;

use crate::test::workspace_tests;
use crate::tools::{announce, check};

pub(super) fn run() -> Result<()> {
    announce("Drill: takeover");
    check(
        workspace_tests()
            .args(["--test", "takeover", "--", "--nocapture"])
            .env("SLIPWAY_DRILL", "full"),
    )
}
