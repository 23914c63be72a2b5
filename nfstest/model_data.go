package nfstest

// pageSize is the granule of file data in memory: small enough that sparse
// files stay sparse.
const pageSize = 4096

type page [pageSize]byte

// fileData is the content of a regular file in two layers: what a reader sees
// now, and what a restart would leave. RFC 1813 section 3.3.7 lets a server
// forget UNSTABLE data until COMMIT; this one really does, or else a client's
// commit logic would never be tested. The book-keeping is exact to the byte:
// a COMMIT of a range that is one byte short leaves one byte to be lost.
type fileData struct {
	pages map[uint64]*page // what readers see; a missing page is a hole
	size  uint64

	unstable spans            // bytes written UNSTABLE and not committed
	old      map[uint64]*page // pages with unstable bytes: their stable content; nil is a hole
	stable   uint64           // the size after a restart
}

func newFileData() *fileData {
	return &fileData{pages: make(map[uint64]*page), old: make(map[uint64]*page)}
}

// read copies the bytes at off into p, and returns how many there were and
// whether the last of them is the file's last.
func (d *fileData) read(p []byte, off uint64) (n int, eof bool) {
	if off >= d.size {
		return 0, true
	}
	if left := d.size - off; uint64(len(p)) >= left {
		p, eof = p[:left], true
	}
	eachPage(off, off+uint64(len(p)), func(i uint64, from, to int) {
		if pg := d.pages[i]; pg != nil {
			copy(p[n:], pg[from:to])
		} else {
			clear(p[n : n+to-from])
		}
		n += to - from
	})
	return n, eof
}

// need returns how many bytes of memory a write would take at most.
func (d *fileData) need(off uint64, n int, stable bool) (bytes int64) {
	eachPage(off, off+uint64(n), func(i uint64, _, _ int) {
		if d.pages[i] == nil {
			bytes += pageSize
		}
		if _, saved := d.old[i]; !stable && !saved {
			bytes += pageSize
		}
	})
	return bytes
}

// write puts p at off. Unless stable is true a restart will undo it.
func (d *fileData) write(p []byte, off uint64, stable bool) {
	end := off + uint64(len(p))
	if !stable {
		eachPage(off, end, func(i uint64, _, _ int) { d.save(i) })
		d.unstable.add(off, end)
	}
	rest := p
	eachPage(off, end, func(i uint64, from, to int) {
		rest = rest[copy(d.page(d.pages, i)[from:to], rest):]
	})
	d.size = max(d.size, end)
	if stable {
		d.settle(off, end)
		d.stable = max(d.stable, end)
	}
}

// commit makes the bytes in [lo, hi) stable.
func (d *fileData) commit(lo, hi uint64) {
	for _, s := range d.unstable.within(lo, hi) {
		d.settle(s.lo, s.hi)
		d.stable = max(d.stable, s.hi)
	}
}

// settle copies what readers see in [lo, hi) into the stable layer.
func (d *fileData) settle(lo, hi uint64) {
	d.unstable.remove(lo, hi)
	if len(d.old) == 0 {
		return
	}
	eachPage(lo, hi, func(i uint64, from, to int) {
		if _, saved := d.old[i]; !saved {
			return
		}
		if !d.unstable.touches(i*pageSize, (i+1)*pageSize) {
			delete(d.old, i)
			return
		}
		copy(d.page(d.old, i)[from:to], d.page(d.pages, i)[from:to])
	})
}

// truncate cuts the file or extends it by a hole. The size is stable at once,
// as that of SETATTR is; unstable bytes below it stay unstable.
func (d *fileData) truncate(size uint64) {
	d.unstable.remove(size, ^uint64(0))
	d.cut(d.pages, size)
	d.cut(d.old, size)
	for i := range d.old {
		if !d.unstable.touches(i*pageSize, (i+1)*pageSize) {
			delete(d.old, i)
		}
	}
	d.size, d.stable = size, size
}

// revert does to the file what a crash of the server does.
func (d *fileData) revert() {
	for _, s := range d.unstable {
		eachPage(s.lo, s.hi, func(i uint64, from, to int) {
			if was := d.old[i]; was != nil {
				copy(d.page(d.pages, i)[from:to], was[from:to])
			} else {
				clear(d.page(d.pages, i)[from:to])
			}
		})
	}
	d.unstable = nil
	clear(d.old)
	d.cut(d.pages, d.stable)
	d.size = d.stable
}

// cut drops what lies behind size.
func (d *fileData) cut(pages map[uint64]*page, size uint64) {
	keep := (size + pageSize - 1) / pageSize
	for i := range pages {
		if i >= keep {
			delete(pages, i)
		}
	}
	if tail := size % pageSize; tail != 0 {
		if pg := pages[size/pageSize]; pg != nil {
			clear(pg[tail:])
		}
	}
}

// save keeps the stable content of page i, which is about to change.
func (d *fileData) save(i uint64) {
	if _, saved := d.old[i]; saved {
		return
	}
	var was *page
	if pg := d.pages[i]; pg != nil {
		was = new(page)
		*was = *pg
	}
	d.old[i] = was
}

// page returns page i of a layer, which it makes if it is a hole.
func (d *fileData) page(layer map[uint64]*page, i uint64) *page {
	pg := layer[i]
	if pg == nil {
		pg = new(page)
		layer[i] = pg
	}
	return pg
}

// bytes returns how much memory the file takes.
func (d *fileData) bytes() int64 { return int64(len(d.pages)+len(d.old)) * pageSize }

// eachPage calls f for each page of [lo, hi) with the part of it that is meant.
func eachPage(lo, hi uint64, f func(i uint64, from, to int)) {
	for lo < hi {
		i := lo / pageSize
		to := min(hi, (i+1)*pageSize)
		f(i, int(lo-i*pageSize), int(to-i*pageSize))
		lo = to
	}
}
