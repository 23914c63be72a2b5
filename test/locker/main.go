package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/gonfs/gonfs/portmap"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "locker:", err)
		code := 2
		if errors.Is(err, errTaken) {
			code = 1
		}
		os.Exit(code)
	}
}

var (
	errUsage = errors.New("usage: see the comment of doc.go")
	errTaken = errors.New("somebody is in the way")
)

func run(args []string) error {
	if len(args) < 3 {
		return errUsage
	}
	verb, rest := args[0], args[1:]
	switch verb {
	case "squat":
		return squat(rest)
	case "count":
		if len(rest) != 3 {
			return errUsage
		}
		n, err := strconv.Atoi(rest[2])
		if err != nil {
			return err
		}
		return count(rest[0], rest[1], n)
	}
	l, err := parse(rest)
	if err != nil {
		return err
	}
	defer l.f.Close()
	switch verb {
	case "hold":
		if err := l.set(l.typ, true); err != nil {
			return err
		}
		fmt.Println("held")
		_, err := io.Copy(io.Discard, os.Stdin)
		return err
	case "wait":
		fmt.Println("waiting")
		begin := time.Now()
		if err := l.set(l.typ, true); err != nil {
			return err
		}
		fmt.Printf("held %d ms\n", time.Since(begin).Milliseconds())
		_, err := io.Copy(io.Discard, os.Stdin)
		return err
	case "try":
		return l.set(l.typ, false)
	case "test":
		return l.test()
	}
	return errUsage
}

// lock is a lock that is wanted.
type lock struct {
	f             *os.File
	kind          string
	typ           int16 // unix.F_RDLCK or F_WRLCK
	start, length int64
}

// parse opens FILE KIND TYPE START LENGTH.
func parse(a []string) (l lock, err error) {
	if len(a) != 5 {
		return l, errUsage
	}
	l.kind = a[1]
	l.typ = unix.F_WRLCK
	if a[2] == "shared" {
		l.typ = unix.F_RDLCK
	}
	if l.start, err = strconv.ParseInt(a[3], 10, 64); err != nil {
		return l, err
	}
	if l.length, err = strconv.ParseInt(a[4], 10, 64); err != nil {
		return l, err
	}
	l.f, err = os.OpenFile(a[0], os.O_RDWR|os.O_CREATE, 0o666)
	return l, err
}

// set takes the lock, or gives it back with F_UNLCK.
func (l *lock) set(typ int16, wait bool) (err error) {
	fd := l.f.Fd()
	for {
		switch l.kind {
		case "flock":
			how := map[int16]int{unix.F_RDLCK: unix.LOCK_SH, unix.F_WRLCK: unix.LOCK_EX, unix.F_UNLCK: unix.LOCK_UN}[typ]
			if !wait {
				how |= unix.LOCK_NB
			}
			err = unix.Flock(int(fd), how)
		default:
			cmd := map[string][2]int{"posix": {unix.F_SETLK, unix.F_SETLKW}, "ofd": {unix.F_OFD_SETLK, unix.F_OFD_SETLKW}}[l.kind]
			if cmd[0] == 0 {
				return errUsage
			}
			c := cmd[0]
			if wait {
				c = cmd[1]
			}
			err = unix.FcntlFlock(fd, c, &unix.Flock_t{Type: typ, Whence: io.SeekStart, Start: l.start, Len: l.length})
		}
		switch err {
		case syscall.EINTR: // Go's own signals
		case syscall.EAGAIN, syscall.EACCES:
			return errTaken
		default:
			return err
		}
	}
}

// test prints the answer of F_GETLK.
func (l *lock) test() error {
	cmd := unix.F_GETLK
	if l.kind == "ofd" {
		cmd = unix.F_OFD_GETLK
	}
	k := unix.Flock_t{Type: l.typ, Whence: io.SeekStart, Start: l.start, Len: l.length}
	if err := unix.FcntlFlock(l.f.Fd(), cmd, &k); err != nil {
		return err
	}
	switch k.Type {
	case unix.F_UNLCK:
		fmt.Println("free")
	case unix.F_RDLCK:
		fmt.Println("shared", k.Start, k.Len)
	default:
		fmt.Println("exclusive", k.Start, k.Len)
	}
	return nil
}

// count adds 1 to the number in a file, n times, under a lock. It reads and
// writes as text tools do, so that no update is made in one step.
func count(file, kind string, n int) error {
	l, err := parse([]string{file, kind, "exclusive", "0", "0"})
	if err != nil {
		return err
	}
	defer l.f.Close()
	var buf [32]byte
	for range n {
		if err := l.set(l.typ, true); err != nil {
			return fmt.Errorf("lock: %w", err)
		}
		k, err := l.f.ReadAt(buf[:], 0)
		if err != nil && err != io.EOF {
			return err
		}
		at := 0
		if text := strings.TrimSpace(string(buf[:k])); text != "" {
			if at, err = strconv.Atoi(text); err != nil {
				return err
			}
		}
		if _, err := l.f.WriteAt(fmt.Appendf(nil, "%d\n", at+1), 0); err != nil {
			return err
		}
		if err := l.set(unix.F_UNLCK, false); err != nil {
			return fmt.Errorf("unlock: %w", err)
		}
	}
	return nil
}

// squat is somebody else's lockd: it has the program's registration, and does
// not answer.
func squat(a []string) error {
	prog, err := strconv.ParseUint(a[0], 10, 32)
	if err != nil {
		return err
	}
	vers, err := strconv.ParseUint(a[1], 10, 32)
	if err != nil {
		return err
	}
	ctx := context.Background()
	c, err := portmap.DialLocal(ctx, "")
	if err != nil {
		return err
	}
	defer c.Close()
	r := portmap.NewRegistrar(c)
	const discard = 9
	if err := r.Register(ctx, portmap.Services(uint32(prog), uint32(vers), discard, discard, true)...); err != nil {
		return err
	}
	fmt.Println("registered")
	_, err = io.Copy(io.Discard, os.Stdin)
	return errors.Join(err, r.Unregister(ctx))
}
