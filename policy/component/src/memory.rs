//! Where a call's memory comes from: a small arena that is used from its beginning by every call,
//! so that a fresh instance touches one page or two instead of a page for every gap in a large heap.
//! Each page that an instance writes to costs the host a fault and a copy.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::UnsafeCell;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};

/// The arena's size, in bytes. What does not fit comes from the ordinary heap.
const SIZE: usize = 64 << 10;

/// Nothing in the arena is aligned to more, in bytes. Its space begins after 16 bytes of counters.
const ALIGN: usize = 16;

#[global_allocator]
static ALLOCATOR: Arena = Arena {
    sealed: AtomicBool::new(false),
    used: AtomicUsize::new(0),
    live: AtomicUsize::new(0),
    _aligned: [0],
    space: UnsafeCell::new([0; SIZE]),
};

/// The counters stand at the beginning of the page that the first allocations come from.
#[repr(C, align(4096))]
struct Arena {
    /// Whether the rules are in place: what is allocated from then on belongs to a call.
    sealed: AtomicBool,
    used: AtomicUsize,
    /// How many allocations are alive. When there are none, the arena begins anew.
    live: AtomicUsize,
    _aligned: [usize; 1],
    space: UnsafeCell<[u8; SIZE]>,
}

/// From here on memory is for calls.
pub(crate) fn seal() {
    ALLOCATOR.sealed.store(true, Relaxed);
}

#[allow(unsafe_code, reason = "instances have one thread")]
// SAFETY: a component without threads never shares it.
unsafe impl Sync for Arena {}

impl Arena {
    fn start(&self) -> *mut u8 {
        self.space.get().cast()
    }

    fn holds(&self, pointer: *mut u8) -> bool {
        (pointer as usize).wrapping_sub(self.start() as usize) < SIZE
    }

    /// A place for a layout, when there is one.
    fn take(&self, layout: Layout) -> Option<*mut u8> {
        let start = self
            .used
            .load(Relaxed)
            .checked_next_multiple_of(layout.align())?;
        let end = start.checked_add(layout.size())?;
        if !self.sealed.load(Relaxed) || end > SIZE || layout.align() > ALIGN {
            return None;
        }
        self.used.store(end, Relaxed);
        self.live.store(self.live.load(Relaxed) + 1, Relaxed);
        Some(self.start().wrapping_add(start))
    }
}

#[allow(unsafe_code, reason = "an allocator cannot be written without")]
// SAFETY: every place that `take` gives lies within the arena, is aligned, and overlaps no other
// that is alive: `used` falls only to the beginning of the last one when that is freed, or to nothing
// when none is alive.
unsafe impl GlobalAlloc for Arena {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        match self.take(layout) {
            Some(place) => place,
            // SAFETY: the caller's promise is passed on.
            None => unsafe { System.alloc(layout) },
        }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        if !self.holds(pointer) {
            // SAFETY: what is not in the arena came from the ordinary heap.
            return unsafe { System.dealloc(pointer, layout) };
        }
        let live = self.live.load(Relaxed) - 1;
        self.live.store(live, Relaxed);
        let offset = pointer as usize - self.start() as usize;
        if live == 0 {
            self.used.store(0, Relaxed);
        } else if offset + layout.size() == self.used.load(Relaxed) {
            self.used.store(offset, Relaxed);
        }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        if !self.holds(pointer) {
            // SAFETY: what is not in the arena came from the ordinary heap.
            return unsafe { System.realloc(pointer, layout, size) };
        }
        let offset = pointer as usize - self.start() as usize;
        if offset + layout.size() == self.used.load(Relaxed) && offset + size <= SIZE {
            self.used.store(offset + size, Relaxed);
            return pointer;
        }
        // SAFETY: the new place has `size` bytes and does not overlap; the old one is freed once.
        unsafe {
            let place = self.alloc(Layout::from_size_align_unchecked(size, layout.align()));
            if !place.is_null() {
                place.copy_from_nonoverlapping(pointer, size.min(layout.size()));
                self.dealloc(pointer, layout);
            }
            place
        }
    }
}
