//! Live pages: an event stream says that something changed, and the page reads its state again. Events are never trusted for what they say.

use std::time::Duration;

use leptos::leptos_dom::helpers::IntervalHandle;
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use wasm_bindgen::closure::Closure;
use web_sys::{Event, EventSource};

/// How often the page reads again although no event came: a proxy may swallow the stream.
const POLL: Duration = Duration::from_secs(10);
/// Events come in bursts; one reading answers a burst.
const SETTLE: Duration = Duration::from_millis(150);

/// Runs `wake` whenever the stream at `url` speaks and every ten seconds, as long as there is an address. Does nothing on the server.
pub(crate) fn listen(url: Signal<Option<String>>, wake: impl Fn() + Clone + Send + Sync + 'static) {
    Effect::new(move |_| {
        let Some(url) = url.get() else {
            return;
        };
        let waiting = StoredValue::new(false);
        let wake = wake.clone();
        let soon = {
            let wake = wake.clone();
            move || {
                if waiting.try_get_value() == Some(false) {
                    waiting.set_value(true);
                    let wake = wake.clone();
                    set_timeout(
                        move || {
                            // The page may be gone by now.
                            if waiting.try_set_value(false).is_none() {
                                wake();
                            }
                        },
                        SETTLE,
                    );
                }
            }
        };
        let stream = EventSource::new(&url).ok().map(|source| {
            let closure = Closure::<dyn FnMut(Event)>::new(move |_| soon());
            // Refused only for an invalid listener, which a closure never is.
            let _ = source
                .add_event_listener_with_callback("message", closure.as_ref().unchecked_ref());
            (source, closure)
        });
        let poll = set_interval_with_handle(wake, POLL).ok();
        // Lives as long as this run of the effect; then the stream is closed.
        StoredValue::new_local(Open { stream, poll });
    });
}

struct Open {
    stream: Option<(EventSource, Closure<dyn FnMut(Event)>)>,
    poll: Option<IntervalHandle>,
}

impl Drop for Open {
    fn drop(&mut self) {
        if let Some((source, _)) = &self.stream {
            source.close();
        }
        if let Some(poll) = &self.poll {
            poll.clear();
        }
    }
}

/// Without JavaScript a page that runs loads itself again every three seconds.
pub(crate) fn refresh_without_script(running: bool) -> Option<AnyView> {
    running.then(|| {
        view! { <noscript inner_html=r#"<meta http-equiv="refresh" content="3">"#></noscript> }
            .into_any()
    })
}
