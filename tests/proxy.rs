//! A way to a server that can be cut, or go silent, in the middle of whatever is under way.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// How the way is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// What is sent arrives.
    Open,
    /// Nothing arrives, and nobody is told.
    Silent,
    /// What was connected no longer is, and nothing can be.
    Cut,
}

pub(crate) struct Proxy {
    address: String,
    way: Arc<Mutex<Way>>,
}

impl Proxy {
    /// An open way to `host:port`.
    pub(crate) fn to(server: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let way = Arc::new(Mutex::new(Way::Open));
        let (server, ways) = (server.to_owned(), Arc::clone(&way));
        thread::spawn(move || {
            for client in listener.incoming() {
                let client = client.unwrap();
                if *ways.lock().unwrap() == Way::Cut {
                    continue;
                }
                let server = TcpStream::connect(&server).unwrap();
                for (from, to) in [
                    (client.try_clone().unwrap(), server.try_clone().unwrap()),
                    (server, client),
                ] {
                    let way = Arc::clone(&ways);
                    thread::spawn(move || carry(from, to, &way));
                }
            }
        });
        Self { address, way }
    }

    /// `host:port` of this end of the way.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    pub(crate) fn set(&self, way: Way) {
        *self.way.lock().unwrap() = way;
    }
}

fn carry(mut from: TcpStream, mut to: TcpStream, way: &Mutex<Way>) {
    let pause = Duration::from_millis(2);
    from.set_read_timeout(Some(pause)).unwrap();
    let mut buffer = [0; 16 << 10];
    loop {
        let now = *way.lock().unwrap();
        match now {
            Way::Open => {}
            Way::Silent => {
                thread::sleep(pause);
                continue;
            }
            Way::Cut => break,
        }
        match from.read(&mut buffer) {
            Ok(0) => break,
            Ok(size) => {
                if to.write_all(&buffer[..size]).is_err() {
                    break;
                }
            }
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
            Err(_) => break,
        }
    }
    let _ = from.shutdown(Shutdown::Both);
    let _ = to.shutdown(Shutdown::Both);
}
