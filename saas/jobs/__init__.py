"""Work that takes its time: written down with the business that asks for it, done by a worker, with progress."""
