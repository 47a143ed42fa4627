//! An allocator for the app: the system's allocator, but every block is zeroed before it is freed. The
//! session's own secrets zero themselves. The buffers of the libraries between the session, the
//! backend and the keyring do not, so a token would stay in freed memory until something happens to
//! overwrite it.

use std::alloc::{GlobalAlloc, Layout, System};
use std::hint::black_box;

/// The system's allocator, which zeroes every block before it is freed. An app makes it its own with
/// `#[global_allocator]`.
pub struct ZeroingAllocator;

// `realloc` is the trait's default: it copies to a new block and frees the old one here.
#[allow(unsafe_code)]
// SAFETY: each call is passed on to the system's allocator unchanged. A block is zeroed before it
// is freed and within the layout that it was allocated with.
unsafe impl GlobalAlloc for ZeroingAllocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller promises what the system's allocator needs.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as above.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: the caller promises that the block has this layout and is no longer used.
        unsafe { block.write_bytes(0, layout.size()) };
        // Without this the compiler may drop the write, because nothing reads a freed block.
        black_box(block);
        // SAFETY: as above.
        unsafe { System.dealloc(block, layout) }
    }
}
