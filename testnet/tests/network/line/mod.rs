//! A line between a node and its bitcoind that a test can cut.

use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

/// A line to bitcoind that can be cut: then no socket listens, and open connections end.
pub(crate) struct Line {
    pub(crate) address: SocketAddr,
    bitcoind: SocketAddr,
    open: Arc<Mutex<Vec<TcpStream>>>,
    stop: Arc<AtomicBool>,
}

impl Line {
    pub(crate) fn new(bitcoind: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut line =
            Self { address: listener.local_addr().unwrap(), bitcoind, open: Arc::default(), stop: Arc::default() };
        line.serve(listener);
        line
    }

    fn serve(&mut self, listener: TcpListener) {
        let (bitcoind, open) = (self.bitcoind, Arc::clone(&self.open));
        self.stop = Arc::default();
        let stop = Arc::clone(&self.stop);
        std::thread::spawn(move || {
            for near in listener.incoming() {
                if stop.load(Ordering::SeqCst) {
                    return;
                }
                let (Ok(near), Ok(far)) = (near, TcpStream::connect(bitcoind)) else { continue };
                for (from, to) in [(&near, &far), (&far, &near)] {
                    let (mut from, mut to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
                    open.lock().unwrap().push(from.try_clone().unwrap());
                    std::thread::spawn(move || {
                        let _ = std::io::copy(&mut from, &mut to);
                        let _ = to.shutdown(Shutdown::Both);
                    });
                }
            }
        });
    }

    pub(crate) fn cut(&self) {
        self.stop.store(true, Ordering::SeqCst);
        // Wakes the thread, which drops the listener.
        let _ = TcpStream::connect(self.address);
        for socket in self.open.lock().unwrap().drain(..) {
            let _ = socket.shutdown(Shutdown::Both);
        }
    }

    pub(crate) fn mend(&mut self) {
        let listener = TcpListener::bind(self.address).unwrap();
        self.serve(listener);
    }
}
