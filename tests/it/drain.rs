//! A stop loses nothing that had been taken.

use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use server::net::Drained;

use crate::support::*;

#[test]
fn requests_under_way_at_a_stop_get_their_answers() {
    let server = Arc::new(serve(options()));
    let (otlp, web) = (server.address("otlp_http"), server.address("web"));
    let bytes = request("POST", "/v1/traces", PROTOBUF, &span());
    let (first, rest) = bytes.split_at(bytes.len() - 5);
    let mut clients: Vec<_> = (0..20).map(|_| connect(otlp)).collect();
    for client in &mut clients {
        client.write_all(first).unwrap();
    }
    // Idle, after a request: it must not hold up the end.
    let mut idle = connect(web);
    idle.write_all(&request("GET", "/-/ready", "", b"")).unwrap();
    assert_eq!(answer(&mut idle).unwrap().status, 200);
    // All of them are connections the server knows when its last answer comes.
    assert_eq!(post(otlp, "/v1/traces", PROTOBUF, &span()).status, 200);

    let stopping = server.clone();
    let stop = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.unwrap().block_on(stopping.running().stop())
    });
    while get(web, "/-/ready").status == 200 {
        std::thread::sleep(Duration::from_millis(5));
    }
    let mut last = clients.pop().unwrap();
    for client in &mut clients {
        client.write_all(rest).unwrap();
        let reply = answer(client).unwrap();
        assert_eq!((reply.status, reply.header("connection")), (200, Some("close")));
    }
    // The web port outlives the doors, so a scrape shows what came while they closed.
    assert_eq!(server.received(), 20.0);
    last.write_all(rest).unwrap();
    assert_eq!(answer(&mut last).unwrap().status, 200);
    assert_eq!(stop.join().unwrap(), Drained::Clean);
    assert!(std::net::TcpStream::connect(otlp).is_err(), "the door is still open");
}

#[test]
fn who_never_ends_is_cut_at_the_deadline() {
    let mut options = options();
    options.deadlines.drain = SHORT;
    let server = serve(options);
    let mut stream = connect(server.address("otlp_http"));
    stream.write_all(b"POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Le").unwrap();
    server.works();
    assert_eq!(server.stop(), Drained::Cut(1));
    assert!(closed_after(stream) < Duration::from_secs(5));
}
