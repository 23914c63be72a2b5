package bench

import (
	"errors"
	"io"
	"time"

	"github.com/gonfs/gonfs/client"
)

// null makes NULL calls: what RPC alone costs.
func (r *run) null() error {
	nfs := r.fs.Session().NFS()
	return r.measure(r.cfg.Ops, func(int, int64) (int, error) { return 0, nfs.Null(r.ctx) }, nil)
}

// getattr asks for the attributes of one file.
func (r *run) getattr() error {
	fs, cred := r.fs.FS(), r.fs.Cred()
	return r.withFile(0, func(name string) error {
		ino, err := r.inode(name)
		if err != nil {
			return err
		}
		return r.measure(r.cfg.Ops, func(int, int64) (int, error) {
			_, err := fs.Getattr(r.ctx, cred, ino)
			return 0, err
		}, nil)
	})
}

// lookup does what stat(2) does to each entry of a directory, with nothing in
// any cache: LOOKUP and GETATTR.
func (r *run) lookup() error {
	fs, cred := r.fs.FS(), r.fs.Cred()
	return r.withDir(r.cfg.Files, func(name string) error {
		dir, err := r.inode(name)
		if err != nil {
			return err
		}
		var names []string
		if err := r.list(dir, func(page []client.DirEntry) error {
			for i := range page {
				names = append(names, page[i].Name)
			}
			return nil
		}); err != nil {
			return err
		}
		return r.measure(int64(len(names)), func(_ int, i int64) (int, error) {
			ino, _, err := fs.Lookup(r.ctx, cred, dir, names[i])
			if err == nil {
				_, err = fs.Getattr(r.ctx, cred, ino)
			}
			return 0, err
		}, nil)
	})
}

// readdir lists a directory with the attributes of its entries, as ls -l does.
// An op is an entry, a latency that of a page of them.
func (r *run) readdir() error {
	return r.withDir(r.cfg.Files, func(name string) error {
		dir, err := r.inode(name)
		if err != nil {
			return err
		}
		latencies := newLatencies()
		stop, err := r.begin()
		if err != nil {
			return err
		}
		entries, begin := int64(0), time.Now()
		err = r.list(dir, func(page []client.DirEntry) error {
			record(latencies, time.Since(begin))
			begin = time.Now()
			entries += int64(len(page))
			return r.complete(dir, page)
		})
		return errors.Join(err, stop(entries, 0, latencies))
	})
}

// list reads a directory and calls got with each page of entries.
func (r *run) list(dir *client.Inode, got func(page []client.DirEntry) error) error {
	d, err := r.fs.FS().OpenDir(r.ctx, r.fs.Cred(), dir)
	if err != nil {
		return err
	}
	defer d.Close()
	for {
		page, err := d.Read(r.ctx, 0)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil {
			err = got(page)
		}
		if err != nil {
			return err
		}
	}
}

// complete asks for the attributes that the server did not list.
func (r *run) complete(dir *client.Inode, page []client.DirEntry) error {
	for i := range page {
		if page[i].Attr != nil {
			continue
		}
		if _, _, err := r.fs.FS().Lookup(r.ctx, r.fs.Cred(), dir, page[i].Name); err != nil {
			return err
		}
	}
	return nil
}
