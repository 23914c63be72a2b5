# gonfs: make test runs everything that the CI runs. See CONTRIBUTING.md.

GO      ?= go
PREFIX  ?= /usr/local
DESTDIR ?=
# mount(8) looks for its helpers in /sbin only.
SBINDIR ?= /sbin
BINDIR  ?= $(PREFIX)/bin
MANDIR  ?= $(PREFIX)/share/man

.PHONY: all build test soak bench install uninstall clean help

all: build

## build: the commands, static, in bin/
build:
	CGO_ENABLED=0 $(GO) build -trimpath -o bin/ ./cmd/...

## test: all tests, stage by stage (test/run.sh; test/run.sh STAGE… runs some)
test:
	@test/run.sh

## soak: all tests in their long form, which takes about an hour
soak:
	@test/run.sh deps soak

## bench: gonfs beside its peers; writes docs/benchmarks.md (BENCH="-quick read-1m" passes flags and rows to test/bench/run.sh)
bench:
	@test/bench/run.sh $(BENCH)

## install: mount helpers to /sbin, gonfs to PREFIX/bin, man pages; DESTDIR is honoured
install: build
	install -d $(DESTDIR)$(SBINDIR) $(DESTDIR)$(BINDIR) $(DESTDIR)$(MANDIR)/man1 $(DESTDIR)$(MANDIR)/man8
	install -m 0755 bin/mount.gonfs $(DESTDIR)$(SBINDIR)/mount.gonfs
	for name in umount.gonfs mount.fuse.gonfs umount.fuse.gonfs; do \
		ln -sf mount.gonfs $(DESTDIR)$(SBINDIR)/$$name; done
	install -m 0755 bin/gonfs $(DESTDIR)$(BINDIR)/gonfs
	for page in cmd/*/*.1; do install -m 0644 $$page $(DESTDIR)$(MANDIR)/man1/; done
	for page in cmd/*/*.8; do install -m 0644 $$page $(DESTDIR)$(MANDIR)/man8/; done

## uninstall: what install put there
uninstall:
	for name in mount.gonfs umount.gonfs mount.fuse.gonfs umount.fuse.gonfs; do \
		rm -f $(DESTDIR)$(SBINDIR)/$$name; done
	rm -f $(DESTDIR)$(BINDIR)/gonfs
	for page in cmd/*/*.1; do rm -f $(DESTDIR)$(MANDIR)/man1/$${page##*/}; done
	for page in cmd/*/*.8; do rm -f $(DESTDIR)$(MANDIR)/man8/$${page##*/}; done

## clean: what build made
clean:
	rm -rf bin

## help: this list
help:
	@sed -n 's/^## //p' Makefile
