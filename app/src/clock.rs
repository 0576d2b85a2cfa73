//! What time it is on the page: only for showing how long something waits or runs, never for deciding.

use types::time::Timestamp;

/// Now, by the server's clock while rendering there and by the browser's afterwards.
pub(crate) fn now() -> Timestamp {
    #[cfg(target_arch = "wasm32")]
    {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "milliseconds since 1970 fit an i64 for the next 292 million years"
        )]
        let millis = js_sys::Date::now() as i64;
        Timestamp::new(time::OffsetDateTime::UNIX_EPOCH + time::Duration::milliseconds(millis))
    }
    #[cfg(not(target_arch = "wasm32"))]
    Timestamp::new(time::OffsetDateTime::now_utc())
}
