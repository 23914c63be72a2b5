package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"runtime"
	"runtime/pprof"
	"sync"
	"sync/atomic"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
	"golang.org/x/sys/unix"

	"github.com/gonfs/gonfs"
)

// run is one measurement.
type run struct {
	ctx     context.Context
	fs      *gonfs.FS
	dir     string // what is measured, from the export's root
	cfg     Config
	profile io.Writer // gets a CPU profile of the measured part; nil for none
	result  Result
}

// Run measures what cfg says in the directory dir of fs. profile gets a CPU
// profile of the measured part unless it is nil. What Run makes is removed
// again, also after an error and when ctx has ended.
func Run(ctx context.Context, fs *gonfs.FS, dir string, cfg Config, profile io.Writer) (*Result, error) {
	cfg, m, err := complete(cfg)
	if err != nil {
		return nil, err
	}
	r := &run{ctx: ctx, fs: fs, dir: dir, cfg: cfg, profile: profile}
	if err := m.run(r); err != nil {
		return nil, err
	}
	if r.result.Ops == 0 {
		return nil, errNothing
	}
	return &r.result, nil
}

// path is the path of a name in the directory that is measured.
func (r *run) path(name string) string { return path.Join(r.dir, name) }

// Latencies are recorded in units of 100 ns up to an hour, with three digits.
const (
	latencyUnit   = 100 * time.Nanosecond
	maxLatency    = int64(time.Hour / latencyUnit)
	latencyDigits = 3
)

func newLatencies() *hdrhistogram.Histogram { return hdrhistogram.New(1, maxLatency, latencyDigits) }

// record enters a latency.
func record(h *hdrhistogram.Histogram, d time.Duration) {
	_ = h.RecordValue(min(int64(d/latencyUnit), maxLatency)) // within its bounds, it cannot fail
}

// A recorder is a histogram of some workers. There are as many as processors:
// one for each worker would not fit into their caches (4 KiB READs at depth 32:
// 4 % of the CPU).
type recorder struct {
	mu sync.Mutex // guards h
	h  *hdrhistogram.Histogram
}

func newRecorders(workers int) []recorder {
	r := make([]recorder, min(workers, runtime.GOMAXPROCS(0)))
	for i := range r {
		r[i].h = newLatencies()
	}
	return r
}

func (r *recorder) record(d time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	record(r.h, d)
}

// op is one call of the measured part: number i, made by a worker.
type op func(worker int, i int64) (bytes int, err error)

// measure makes ops calls by Depth workers, then finish (nil for nothing), and
// fills in the result. The first error ends all.
func (r *run) measure(ops int64, do op, finish func() error) error {
	var (
		next, moved atomic.Int64
		failed      = make(chan error, r.cfg.Depth)
		recorders   = newRecorders(r.cfg.Depth)
		wg          sync.WaitGroup
	)
	stop, err := r.begin()
	if err != nil {
		return err
	}
	start := time.Now()
	for w := range r.cfg.Depth {
		wg.Go(func() { // ends with the last call, or the first error
			bytes := 0
			recorder := &recorders[w%len(recorders)]
			begin := time.Since(start)
			for i := next.Add(1) - 1; i < ops; i = next.Add(1) - 1 {
				n, err := do(w, i)
				if err != nil {
					next.Store(ops)
					failed <- err
					break
				}
				end := time.Since(start) // and the beginning of the next
				recorder.record(end - begin)
				begin = end
				bytes += n
			}
			moved.Add(int64(bytes))
		})
	}
	wg.Wait()
	if finish != nil {
		err = finish()
	}
	select {
	case first := <-failed:
		err = first
	default:
	}
	latencies := recorders[0].h
	for i := range recorders[1:] {
		latencies.Merge(recorders[1+i].h)
	}
	return errors.Join(err, stop(ops, moved.Load(), latencies))
}

// begin begins the measured part; stop ends it and fills in the result.
func (r *run) begin() (stop func(ops, bytes int64, latencies *hdrhistogram.Histogram) error, err error) {
	if err := context.Cause(r.ctx); err != nil {
		return nil, err
	}
	runtime.GC() // of what was made before
	if r.profile != nil {
		if err := pprof.StartCPUProfile(r.profile); err != nil {
			return nil, fmt.Errorf("bench: %w", err)
		}
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	user, sys, err := cpu()
	begin := time.Now()
	return func(ops, bytes int64, latencies *hdrhistogram.Histogram) error {
		took := time.Since(begin).Seconds()
		endUser, endSys, err := cpu()
		runtime.ReadMemStats(&after)
		if r.profile != nil {
			pprof.StopCPUProfile()
		}
		r.result = Result{
			Mode: r.cfg.Mode, Seconds: took, Bytes: bytes, Ops: ops,
			MiBPerSec: float64(bytes) / (1 << 20) / took, OpsPerSec: float64(ops) / took,
			P50: micros(latencies, 50), P99: micros(latencies, 99),
			CPUUser: endUser - user, CPUSys: endSys - sys,
			AllocsPerOp: float64(after.Mallocs-before.Mallocs) / float64(max(ops, 1)),
		}
		return err
	}, err
}

func micros(h *hdrhistogram.Histogram, percentile float64) float64 {
	return float64(h.ValueAtPercentile(percentile)) * float64(latencyUnit) / float64(time.Microsecond)
}

// cpu returns the seconds of processor time of this process so far.
func cpu() (user, sys float64, err error) {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		return 0, 0, fmt.Errorf("bench: getrusage: %w", err)
	}
	return time.Duration(u.Utime.Nano()).Seconds(), time.Duration(u.Stime.Nano()).Seconds(), nil
}
