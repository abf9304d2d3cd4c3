"""The means of judging: what rules of the suite share when they act on a target or look at what it did.

Each module serves the rules of one topic: how a stream fails (`failing`), how clients leave (`leaving`, `aborting`), how
many are served at once (`crowd`), what comes back (`reflection`, `echo`), how a cut stream goes on (`resumption`), what a
proxy adds (`proxied`), how a server stops (`shutdown`), when a time may be called late (`timing`).
"""
