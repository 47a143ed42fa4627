//! The app's allocator: the system's, but a block is wiped before it is given back. The
//! session's own secrets wipe themselves; the buffers of the libraries between it, the backend
//! and the keyring do not, and a token would stand in them until chance writes over it.

use std::alloc::{GlobalAlloc, Layout, System};
use std::hint::black_box;

#[global_allocator]
static ALLOCATOR: Wiping = Wiping;

struct Wiping;

// `realloc` is the trait's own: a new block, a copy, and the old one given back here.
#[allow(unsafe_code)]
// SAFETY: each call goes to the system's allocator as it came. A block is written to while it is
// still ours, and within the layout that it was given out with.
unsafe impl GlobalAlloc for Wiping {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promises are those that the system's allocator wants.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as above.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: the block is the caller's, of this size, and nobody else's any more.
        unsafe { block.write_bytes(0, layout.size()) };
        // Writing to what is given back may look to a compiler like writing for nobody.
        black_box(block);
        // SAFETY: as above.
        unsafe { System.dealloc(block, layout) }
    }
}
