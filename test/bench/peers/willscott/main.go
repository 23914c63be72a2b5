package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/willscott/go-nfs-client/nfs"
	"github.com/willscott/go-nfs-client/nfs/rpc"
)

// result is the line of gonfs bench --json.
type result struct {
	Mode      string  `json:"mode"`
	Seconds   float64 `json:"seconds"`
	Bytes     int     `json:"bytes"`
	Ops       int     `json:"ops"`
	MiBPerSec float64 `json:"mib_s"`
	OpsPerSec float64 `json:"ops_s"`
	P50       float64 `json:"p50_us"`
	P99       float64 `json:"p99_us"`
	CPUUser   float64 `json:"cpu_user_s"`
	CPUSys    float64 `json:"cpu_sys_s"`
}

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "willscott-bench:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) < 2 {
		return fmt.Errorf("usage: willscott-bench MODE SERVER [size=N] [bs=N] [ops=N] [file=NAME]")
	}
	numbers, file := map[string]int{"size": 256 << 20, "bs": 1 << 20, "ops": 10000}, ""
	for _, a := range args[2:] {
		name, value, _ := strings.Cut(a, "=")
		if name == "file" {
			file = value
			continue
		}
		n, err := strconv.Atoi(value)
		if _, ok := numbers[name]; !ok || err != nil {
			return fmt.Errorf("what is %s?", a)
		}
		numbers[name] = n
	}
	m, err := nfs.DialMount(args[1], 0)
	if err != nil {
		return err
	}
	v, err := m.Mount("/", rpc.NewAuthUnix("bench", 0, 0).Auth())
	if err != nil {
		return err
	}
	bs, ops := numbers["bs"], numbers["size"]/numbers["bs"]
	buf := make([]byte, bs)
	var step func() error
	end := func() error { return nil }
	switch mode := args[0]; mode {
	case "read", "write":
		open := func() (*nfs.File, error) { return v.Open(file) }
		if mode == "write" {
			open = func() (*nfs.File, error) { return v.OpenFile(file, 0o600) }
		}
		f, err := open()
		if err != nil {
			return err
		}
		end = f.Close
		step = func() error { _, err := io.ReadFull(f, buf); return err }
		if mode == "write" {
			step = func() error { _, err := f.Write(buf); return err }
		}
	case "getattr":
		bs, ops = 0, numbers["ops"]
		step = func() error { _, _, err := v.Lookup(file); return err }
	default:
		return fmt.Errorf("no mode %s", mode)
	}
	return measure(args[0], ops, bs, step, end)
}

func measure(mode string, ops, bs int, step, end func() error) error {
	latencies := make([]float64, 0, ops)
	user, sys := cpu()
	begin := time.Now()
	for range ops {
		at := time.Now()
		if err := step(); err != nil {
			return err
		}
		latencies = append(latencies, float64(time.Since(at).Nanoseconds())/1e3)
	}
	if err := end(); err != nil {
		return err
	}
	took := time.Since(begin).Seconds()
	endUser, endSys := cpu()
	slices.Sort(latencies)
	return json.NewEncoder(os.Stdout).Encode(result{
		Mode: mode, Seconds: took, Bytes: ops * bs, Ops: ops,
		MiBPerSec: float64(ops*bs) / (1 << 20) / took, OpsPerSec: float64(ops) / took,
		P50: latencies[ops/2], P99: latencies[ops*99/100], CPUUser: endUser - user, CPUSys: endSys - sys,
	})
}

// cpu returns the seconds of processor time of this process so far.
func cpu() (user, sys float64) {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano()).Seconds(), time.Duration(u.Stime.Nano()).Seconds()
}
