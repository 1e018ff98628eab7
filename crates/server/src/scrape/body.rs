//! A scrape's body: each piece is copied, written and compressed when its reader has room for it.
//!
//! So a scrape of any size holds one piece, and a reader that is slow holds no more. Other connections of this thread have their
//! turn after each piece.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use hyper::body::{Body, Frame};
use tokio::task::{spawn_blocking, yield_now};

use crate::self_metrics::Telemetry;
use engine::exposition::{Coder, Writer};
use engine::limits;
use engine::model::FamilySnapshot;
use engine::timestamp::Timestamp;

use super::scrapers::Client;
use super::slots::Slot;

/// A scrape under way.
pub(super) struct Scrape {
    /// What is still to be shown.
    pub(super) families: Box<dyn Iterator<Item = FamilySnapshot> + Send>,
    pub(super) writer: Writer,
    pub(super) coder: Coder,
    /// Written and not coded yet.
    pub(super) plain: Vec<u8>,
    pub(super) telemetry: Arc<Telemetry>,
    pub(super) seat: Slot,
    pub(super) scraper: Option<Scraper>,
    /// None: it is marked, or marks are not needed.
    pub(super) mark: Option<MarkScrape>,
}

/// Called when all values of a scrape are read, before its last byte is sent. It may block.
pub type MarkScrape = Arc<dyn Fn() + Send + Sync>;

/// A scrape by a scraper.
pub(super) struct Scraper {
    pub(super) client: Arc<Client>,
    pub(super) began: Timestamp,
    /// The changes that its series have seen.
    pub(super) changes: u64,
    /// Whether it shows a series at 0 that holds more.
    pub(super) hides: Arc<AtomicBool>,
}

/// The last bytes of a body, and the seat it takes until they have left.
struct Last {
    bytes: Vec<u8>,
    _seat: Slot,
    scraper: Option<Scraper>,
}

impl Drop for Last {
    fn drop(&mut self) {
        // hyper lets go of bytes when they were written, or when their reader left: the second is rare, and costs that reader
        // one birth.
        if let Some(Scraper { client, began, changes, hides }) = self.scraper.take() {
            client.completed(began, (!hides.load(Ordering::Relaxed)).then_some(changes));
        }
    }
}

impl AsRef<[u8]> for Last {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Scrape {
    /// Writes one piece more and hands out what is ready, when it is worth it.
    fn write(&mut self, piece: &FamilySnapshot) -> io::Result<Option<Bytes>> {
        self.plain.reserve(limits::SCRAPE_CHUNK);
        self.writer.piece(piece, &mut self.plain);
        self.coder.code(&mut self.plain)?;
        let coded = self.coder.coded();
        let worth = coded.len() >= limits::SCRAPE_CHUNK;
        Ok(worth.then(|| std::mem::take(coded).into()))
    }

    fn finish(mut self) -> io::Result<Bytes> {
        let written = self.writer.finish(&mut self.plain);
        self.coder.code(&mut self.plain)?;
        let bytes = self.coder.finish()?;
        self.telemetry.scraped(&written);
        Ok(Bytes::from_owner(Last { bytes, _seat: self.seat, scraper: self.scraper }))
    }
}

/// The body of a scrape, made as it is read.
pub struct Streamed {
    /// None: all of it was handed out.
    scrape: Option<Scrape>,
    /// The turn of other connections, or the mark under way.
    pause: Option<Pin<Box<dyn Future<Output = io::Result<()>> + Send>>>,
}

impl Streamed {
    pub(super) fn new(scrape: Scrape) -> Self {
        Self { scrape: Some(scrape), pause: None }
    }

    /// The next piece of the scrape, when it is worth a frame.
    fn piece(&mut self) -> io::Result<Option<Bytes>> {
        let Some(scrape) = &mut self.scrape else { return Ok(None) };
        self.pause = Some(Box::pin(async {
            yield_now().await;
            Ok(())
        }));
        if let Some(piece) = scrape.families.next() {
            return scrape.write(&piece);
        }
        if let Some(Scraper { client, began, .. }) = &scrape.scraper {
            client.completing(*began);
        }
        if let Some(mark) = scrape.mark.take() {
            // The disk may be slow, and other connections of this thread don't wait for it. A scrape without its mark has no end.
            let marked = spawn_blocking(move || mark());
            self.pause = Some(Box::pin(async { marked.await.map_err(io::Error::other) }));
            return Ok(None);
        }
        self.scrape.take().map(Scrape::finish).transpose()
    }
}

impl Body for Streamed {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        loop {
            let paused = match &mut self.pause {
                Some(pause) => ready!(pause.as_mut().poll(context)),
                None => Ok(()),
            };
            self.pause = None;
            if self.scrape.is_none() {
                return Poll::Ready(None);
            }
            let ready = paused.and_then(|()| self.piece());
            if ready.is_err() {
                self.scrape = None; // the connection ends, and the reader knows by that
            }
            if let Some(ready) = ready.transpose() {
                return Poll::Ready(Some(ready.map(Frame::data)));
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.scrape.is_none()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;

    use http_body_util::BodyExt as _;
    use tokio::sync::Semaphore;

    use super::super::scrapers::Scrapers;
    use super::*;
    use engine::exposition::{ContentEncoding, Options, format};
    use engine::model::{Family, Kind, LabelName, MetricName, Row, RowValue};

    const PIECES: usize = 40;

    /// 40 pieces of one family, 100 lines each, and a body that shows them to a scraper.
    fn body(client: &Arc<Client>, seats: &Arc<Semaphore>, mark: MarkScrape) -> Streamed {
        let family = Arc::new(Family {
            name: MetricName::own("x_total"),
            help: "x".repeat(200),
            unit: String::new(),
            kind: Kind::Counter,
            labels: Vec::new(),
            bounds: Vec::new(),
        });
        let row = |value: String| Row {
            labels: Arc::new([(LabelName::own("a"), value.into())].into_iter().collect()),
            born: None,
            start: None,
            value: RowValue::Counter(1.0, None),
        };
        let piece = move |piece| FamilySnapshot {
            family: family.clone(),
            rows: (0..100).map(|at| row(format!("{piece}-{at:050}"))).collect(),
        };
        Streamed::new(Scrape {
            families: Box::new((0..PIECES).map(piece)),
            writer: Writer::new(format(None), Options::default()),
            coder: ContentEncoding::Identity.coder().unwrap(),
            plain: Vec::new(),
            telemetry: Arc::new(Telemetry::new("test", Default::default(), Timestamp(1))),
            seat: seats.clone().try_acquire_owned().unwrap().into(),
            scraper: Some(Scraper {
                client: client.clone(),
                began: Timestamp(9),
                changes: 0,
                hides: Arc::default(),
            }),
            mark: Some(mark),
        })
    }

    fn client() -> Arc<Client> {
        Arc::new(Arc::<Scrapers>::default().connect([10, 0, 0, 1].into()))
    }

    #[tokio::test]
    async fn a_body_comes_in_chunks_and_is_completed_when_the_last_has_left() {
        let (client, seats) = (client(), Arc::new(Semaphore::new(1)));
        let marks = Arc::new(AtomicUsize::new(0));
        let marked = marks.clone();
        let mark = move || marked.store(1, Ordering::Relaxed);
        let mut body = body(&client, &seats, Arc::new(mark));
        let (mut text, mut last) = (Vec::new(), None);
        while let Some(frame) = body.frame().await {
            assert_eq!((client.last(), seats.available_permits()), (Timestamp(0), 0));
            let is_last = body.is_end_stream();
            assert_eq!(marks.load(Ordering::Relaxed), usize::from(is_last), "before the last byte");
            let bytes = frame.unwrap().into_data().unwrap();
            assert!(bytes.len() < 2 * limits::SCRAPE_CHUNK, "{}", bytes.len());
            text.extend_from_slice(&bytes);
            last = Some(bytes);
        }
        assert_eq!(text.iter().filter(|byte| **byte == b'\n').count(), 100 * PIECES + 2);
        drop(last);
        assert_eq!(client.last(), Timestamp(9));
        assert_eq!(seats.available_permits(), 1);
    }

    #[tokio::test]
    async fn a_scrape_that_is_not_marked_has_no_end() {
        let (client, seats) = (client(), Arc::new(Semaphore::new(1)));
        let mut body = body(&client, &seats, Arc::new(|| panic!("no mark")));
        let mut frames = Vec::new();
        while let Some(frame) = body.frame().await {
            frames.push(frame.is_ok());
        }
        assert_eq!(frames.iter().position(|good| !good), Some(frames.len() - 1));
        assert_eq!((client.last(), seats.available_permits()), (Timestamp(0), 1));
    }

    #[tokio::test]
    async fn a_reader_that_leaves_has_seen_nothing() {
        let (client, seats) = (client(), Arc::new(Semaphore::new(1)));
        let mut body = body(&client, &seats, Arc::new(|| {}));
        assert!(body.frame().await.is_some());
        let left = body.scrape.as_ref().unwrap().families.size_hint().0;
        assert!(left > PIECES / 2, "{left}: what nobody reads is not made");
        drop(body);
        assert_eq!((client.last(), seats.available_permits()), (Timestamp(0), 1));
    }
}
