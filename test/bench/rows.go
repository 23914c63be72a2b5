package main

import (
	"fmt"
	"slices"
)

// row is one kind of work.
type row struct {
	id, title  string
	note       string // for the reader of the table; may be empty
	pinned     bool   // all on one processor
	awake      bool   // the processors are kept from idling
	once       bool   // one repetition is enough
	contenders []contender
	goals      []goal
}

// contender is a way to do the work of a row.
type contender struct {
	name string
	run  func(*world) (sample, error)
}

// Names of contenders.
const (
	ours      = "gonfs"
	libnfs    = "libnfs 4.0"
	willscott = "willscott/go-nfs-client"
	nullFUSE  = "go-fuse null"
)

// scale is how much work the rows do.
type scale struct {
	mib  int // of bulk data
	ops  int
	rss  int // MiB read and written by the daemon whose memory is watched
	list int // entries that it lists
}

var (
	full  = scale{mib: 2048, ops: 100_000, rss: 100 << 10, list: 1_000_000}
	quick = scale{mib: 512, ops: 20_000, rss: 4 << 10, list: 100_000}
)

func rows(s scale) []row {
	big := fmt.Sprintf("big%d", s.mib)
	bytes := int64(s.mib) << 20
	less := int64(s.mib) << 18 // for those that are slow
	library := []row{
		{
			id: "read-1m", title: "READ 1 MiB, 8 in flight",
			contenders: []contender{
				{ours, gonfsBench("read", "--file", big, "--size", bytes, "--bs", 1<<20, "--qd", 8)},
				{libnfs, libnfsBench("read", "file=/"+big, "size", bytes, "bs", 1<<20, "qd", 8)},
				{willscott, willscottBench("read", "file=/"+big, "size", less, "bs", 1<<20)},
			},
			goals: []goal{
				{mibPerSec, ours, libnfs, 1.15, 1.4}, {cpuPerGiB, ours, libnfs, 1.05, 0.9},
				{mibPerSec, ours, willscott, 2, 4}, {cpuPerGiB, ours, willscott, 0.3, 0.2},
			},
		},
		{
			id: "read-64k", title: "READ 64 KiB, 16 in flight",
			note: "Sixteen readers of one file; gonfs merges the reads of half of them, which lie side by side, into one READ of 512 KiB",
			contenders: []contender{
				{ours, gonfsBench("read", "--file", big, "--size", bytes, "--bs", 64<<10, "--qd", 16)},
				{libnfs, libnfsBench("read", "file=/"+big, "size", bytes, "bs", 64<<10, "qd", 16)},
			},
			goals: []goal{{mibPerSec, ours, libnfs, 1, 1.2}},
		},
		{
			id: "write-1m", title: "WRITE 1 MiB, 8 in flight, until all is safe",
			contenders: []contender{
				{ours, gonfsBench("write", "--file", "written", "--size", bytes, "--bs", 1<<20, "--qd", 8)},
				{libnfs, libnfsBench("write", "file=/written", "size", bytes, "bs", 1<<20, "qd", 8)},
				{willscott, willscottBench("write", "file=/written", "size", less, "bs", 1<<20)},
			},
			goals: []goal{
				{mibPerSec, ours, libnfs, 1.2, 1.5}, {cpuPerGiB, ours, libnfs, 1, 0.8},
				{mibPerSec, ours, willscott, 2, 4}, {cpuPerGiB, ours, willscott, 0.3, 0.2},
			},
		},
		{
			id: "rand-4k", title: "READ 4 KiB at random, 32 in flight",
			contenders: []contender{
				{ours, gonfsBench("randread", "--file", big, "--size", bytes, "--bs", 4096, "--qd", 32, "--ops", s.ops)},
				{libnfs, libnfsBench("randread", "file=/"+big, "size", bytes, "bs", 4096, "qd", 32, "ops", s.ops)},
			},
			goals: []goal{{opsPerSec, ours, libnfs, 0.95, 1.1}},
		},
		{
			id: "getattr", title: "GETATTR one by one, client and server on one processor", pinned: true,
			note: "go-nfs-client makes no GETATTR: its LOOKUP stands in",
			contenders: []contender{
				{ours, gonfsBench("getattr", "--file", "big1", "--ops", s.ops)},
				{libnfs, libnfsBench("getattr", "file=/big1", "ops", s.ops)},
				{willscott, willscottBench("getattr", "file=/big1", "ops", s.ops/5)},
			},
			goals: []goal{
				{median, ours, libnfs, 1.2, 1},
				{opsPerSec, ours, willscott, 2, 4}, {cpuPerOp, ours, willscott, 0.3, 0.2},
			},
		},
		lookups("lookup-idle", "LOOKUP and GETATTR of 10,000 files, 16 in flight; idle processors", false, 8, 12),
		lookups("lookup-busy", "the same, processors that do not idle", true, 2, 0),
		{
			id: "readdir", title: "READDIRPLUS of 100,000 entries",
			contenders: []contender{
				{ours, gonfsBench("readdir", "--file", "dir100000")},
				{libnfs, libnfsBench("readdir", "file=/dir100000")},
			},
			goals: []goal{{opsPerSec, ours, libnfs, 0.6, 1.2}},
		},
		{
			id: "small", title: "create, write 4 KiB, close, remove",
			contenders: []contender{
				{ours, gonfsBench("smallfiles", "--files", 5000, "--qd", 1)},
				{ours16, gonfsBench("smallfiles", "--files", 5000, "--qd", 16)},
				{libnfs, libnfsBench("smallfiles", "files", 5000, "bs", 4096)},
			},
			goals: []goal{{opsPerSec, ours, libnfs, 0.8, 1}, {opsPerSec, ours16, libnfs, 2, 4}},
		},
	}
	return slices.Concat(library, fuseRows(s), []row{farRow(s), memoryRow(s)})
}

// ours16 is gonfs with 16 calls in flight, in a row that has one by one, too.
const ours16 = "gonfs, 16 in flight"

func lookups(id, title string, awake bool, must, aim float64) row {
	return row{
		id: id, title: title, awake: awake,
		contenders: []contender{
			{ours, gonfsBench("lookup", "--file", "dir10000", "--qd", 16)},
			{libnfs, libnfsBench("lookup", "file=/dir10000")},
		},
		goals: []goal{{opsPerSec, ours, libnfs, must, aim}},
	}
}
