package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/gonfs/gonfs"
)

// place is where the demo works: a mount, or an export through the library.
type place interface {
	write(name string, data []byte) error
	read(name string) ([]byte, error)
	list(dir string) ([]string, error)
	mkdir(name string) error
	remove(name string) error
}

// demoSize is the size of the large file of the demo.
const demoSize = 32 << 20

// try writes, reads back, lists and cleans up, and says what it did.
func (d *demo) try(p place) error {
	const dir = "gonfs-demo"
	if err := p.mkdir(dir); err != nil {
		return err
	}
	data := bytes.Repeat([]byte("0123456789abcdef"), demoSize/16)
	t := time.Now()
	if err := p.write(dir+"/large", data); err != nil {
		return err
	}
	d.step("wrote %d MiB and had it committed: %s", demoSize>>20, rate(demoSize, t))
	t = time.Now()
	got, err := p.read(dir + "/large")
	if err != nil {
		return err
	}
	if !bytes.Equal(got, data) {
		return fmt.Errorf("demo: %d bytes were read back, and they are not what was written", len(got))
	}
	d.step("read it back, every byte the same: %s", rate(demoSize, t))
	t = time.Now()
	const files = 200
	for i := range files {
		if err := p.write(fmt.Sprintf("%s/small-%03d", dir, i), []byte("small\n")); err != nil {
			return err
		}
	}
	d.step("made %d small files: %.0f files/s", files, files/time.Since(t).Seconds())
	names, err := p.list(dir)
	if err != nil {
		return err
	}
	if len(names) != files+1 {
		return fmt.Errorf("demo: %d entries are listed, %d were made", len(names), files+1)
	}
	d.step("listed %d entries", len(names))
	for _, n := range names {
		if err := p.remove(dir + "/" + n); err != nil {
			return err
		}
	}
	if err := p.remove(dir); err != nil {
		return err
	}
	d.step("removed them")
	return nil
}

func rate(n int, since time.Time) string {
	return fmt.Sprintf("%.0f MiB/s", float64(n)/(1<<20)/time.Since(since).Seconds())
}

// library does with the library what try does with a mount.
func (d *demo) library(ctx context.Context) error {
	fsys, err := gonfs.Dial(ctx, d.server.Export(), gonfs.Options{Mount: d.server.MountOptions()})
	if err != nil {
		return err
	}
	d.step("connected through the library")
	err = d.try(remote{fsys, ctx})
	if cerr := fsys.Close(context.WithoutCancel(ctx)); err == nil {
		err = cerr
	}
	return err
}

// local is a mount.
type local struct{ at string }

func (l local) path(name string) string              { return filepath.Join(l.at, name) }
func (l local) write(name string, data []byte) error { return os.WriteFile(l.path(name), data, 0o644) }
func (l local) read(name string) ([]byte, error)     { return os.ReadFile(l.path(name)) }
func (l local) mkdir(name string) error              { return os.Mkdir(l.path(name), 0o755) }
func (l local) remove(name string) error             { return os.Remove(l.path(name)) }
func (l local) list(dir string) (out []string, err error) {
	entries, err := os.ReadDir(l.path(dir))
	for _, e := range entries {
		out = append(out, e.Name())
	}
	return out, err
}

// remote is an export through the library.
type remote struct {
	*gonfs.FS
	ctx context.Context
}

func (r remote) write(name string, data []byte) error { return r.WriteFile(r.ctx, name, data, 0o644) }
func (r remote) read(name string) ([]byte, error)     { return r.ReadFile(r.ctx, name) }
func (r remote) mkdir(name string) error              { return r.Mkdir(r.ctx, name, 0o755) }
func (r remote) remove(name string) error             { return r.Remove(r.ctx, name) }
func (r remote) list(dir string) (out []string, err error) {
	for e, err := range r.ReadDir(r.ctx, dir) {
		if err != nil {
			return out, err
		}
		out = append(out, e.Name())
	}
	return out, nil
}
