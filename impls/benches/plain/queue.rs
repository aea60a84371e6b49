//! The queue locks, plainly.

/// A list of waiters, each polling a word of its own.
pub(super) mod mcs {
    use std::hint::spin_loop;
    use std::ptr::{self, NonNull};
    use std::sync::atomic::{AtomicPtr, AtomicU32, Ordering};

    use crate::plain::{Twin, reentry, unlock_of_unlocked};

    /// The lock.
    #[repr(C, align(64))]
    pub(crate) struct Mcs {
        tail: AtomicPtr<Node>,
    }

    #[repr(C, align(64))]
    struct Node {
        waiting: AtomicU32,
        next: AtomicPtr<Node>,
    }

    /// A thread's node, and the address of the lock that it holds; 0 for none.
    pub(crate) struct Context {
        node: NonNull<Node>,
        held: usize,
    }

    impl Drop for Context {
        fn drop(&mut self) {
            if self.held == 0 {
                // SAFETY: the node came from a box, and nobody reaches the node of a context that holds nothing.
                drop(unsafe { Box::from_raw(self.node.as_ptr()) });
            }
        }
    }

    impl Twin for Mcs {
        const ID: &'static str = "mutex/mcs";
        type Context = Context;
        fn new() -> Self {
            Mcs { tail: AtomicPtr::new(ptr::null_mut()) }
        }
        fn context(&self) -> Context {
            let node = Node { waiting: AtomicU32::new(0), next: AtomicPtr::new(ptr::null_mut()) };
            Context { node: NonNull::from(Box::leak(Box::new(node))), held: 0 }
        }

        #[inline]
        fn lock(&self, context: &mut Context) {
            if context.held != 0 {
                reentry(Self::ID);
            }
            // SAFETY: the node lives as long as the context, and all its fields are atomics.
            let node = unsafe { context.node.as_ref() };
            node.next.store(ptr::null_mut(), Ordering::Relaxed);
            node.waiting.store(1, Ordering::Relaxed);
            let before = self.tail.swap(context.node.as_ptr(), Ordering::AcqRel);
            if let Some(before) = NonNull::new(before) {
                // SAFETY: the node before stays alive until its owner has seen our link.
                unsafe { before.as_ref() }.next.store(context.node.as_ptr(), Ordering::Release);
                wait(node);
            }
            context.held = ptr::from_ref(self).addr();
        }

        #[inline]
        fn unlock(&self, context: &mut Context) {
            if context.held != ptr::from_ref(self).addr() {
                unlock_of_unlocked(Self::ID);
            }
            // SAFETY: the node lives as long as the context, and all its fields are atomics.
            let node = unsafe { context.node.as_ref() };
            let mut behind = node.next.load(Ordering::Acquire);
            if behind.is_null() {
                let (mine, free) = (context.node.as_ptr(), ptr::null_mut());
                match self.tail.compare_exchange(mine, free, Ordering::Release, Ordering::Relaxed) {
                    Ok(_) => {
                        context.held = 0;
                        return;
                    }
                    Err(tail) if tail.is_null() => unlock_of_unlocked(Self::ID),
                    Err(_) => behind = await_link(node),
                }
            }
            // SAFETY: the thread behind waits for this store, so its node is alive.
            unsafe { (*behind).waiting.store(0, Ordering::Release) };
            context.held = 0;
        }
    }

    #[cold]
    fn wait(node: &Node) {
        while node.waiting.load(Ordering::Acquire) != 0 {
            spin_loop();
        }
    }

    #[cold]
    fn await_link(node: &Node) -> *mut Node {
        loop {
            let next = node.next.load(Ordering::Acquire);
            if !next.is_null() {
                return next;
            }
            spin_loop();
        }
    }
}

/// A list of waiters, each polling the word of the thread before.
pub(super) mod clh {
    use std::hint::spin_loop;
    use std::ptr::{self, NonNull};
    use std::sync::atomic::{AtomicPtr, AtomicU32, Ordering};

    use crate::plain::{Twin, reentry, unlock_of_unlocked};

    /// The lock.
    #[repr(C, align(64))]
    pub(crate) struct Clh {
        tail: AtomicPtr<Node>,
    }

    #[repr(C, align(64))]
    struct Node {
        busy: AtomicU32,
    }

    /// A thread's node, while it holds also the one before; and the address of the lock that it holds, 0 for none.
    pub(crate) struct Context {
        node: NonNull<Node>,
        before: NonNull<Node>,
        held: usize,
    }

    fn new_node() -> NonNull<Node> {
        NonNull::from(Box::leak(Box::new(Node { busy: AtomicU32::new(0) })))
    }

    impl Drop for Context {
        fn drop(&mut self) {
            if self.held == 0 {
                // SAFETY: the node came from a box and is this context's alone.
                drop(unsafe { Box::from_raw(self.node.as_ptr()) });
            }
        }
    }

    impl Drop for Clh {
        fn drop(&mut self) {
            let tail = self.tail.load(Ordering::Acquire);
            // SAFETY: nobody uses the lock any more; a node at the tail that is not busy is the lock's alone.
            unsafe {
                if (*tail).busy.load(Ordering::Acquire) == 0 {
                    drop(Box::from_raw(tail));
                }
            }
        }
    }

    impl Twin for Clh {
        const ID: &'static str = "mutex/clh";
        type Context = Context;
        fn new() -> Self {
            Clh { tail: AtomicPtr::new(new_node().as_ptr()) }
        }
        fn context(&self) -> Context {
            let node = new_node();
            Context { node, before: node, held: 0 }
        }

        #[inline]
        fn lock(&self, context: &mut Context) {
            if context.held != 0 {
                reentry(Self::ID);
            }
            // SAFETY: the node is this context's, hence alive.
            unsafe { context.node.as_ref() }.busy.store(1, Ordering::Relaxed);
            let before = self.tail.swap(context.node.as_ptr(), Ordering::AcqRel);
            // SAFETY: `tail` is never null, and the node that was there is freed by whoever swapped it out: by us.
            let before = unsafe { NonNull::new_unchecked(before) };
            // SAFETY: as above.
            let busy = &unsafe { before.as_ref() }.busy;
            if busy.load(Ordering::Acquire) != 0 {
                wait(busy);
            }
            context.before = before;
            context.held = ptr::from_ref(self).addr();
        }

        #[inline]
        fn unlock(&self, context: &mut Context) {
            if context.held != ptr::from_ref(self).addr() {
                unlock_of_unlocked(Self::ID);
            }
            context.held = 0;
            let mine = std::mem::replace(&mut context.node, context.before);
            // SAFETY: the node is ours until this store, which is the last access to it.
            unsafe { (*mine.as_ptr()).busy.store(0, Ordering::Release) };
        }
    }

    #[cold]
    fn wait(busy: &AtomicU32) {
        while busy.load(Ordering::Acquire) != 0 {
            spin_loop();
        }
    }
}
