package main

import "fmt"

// fuseRows are the rows in which a program reads and writes through a mount.
// The processor time is the daemon's.
func fuseRows(s scale) []row {
	big := fmt.Sprintf("big%d", s.mib/2)
	bytes := int64(s.mib) << 19
	return []row{
		{
			id: "fuse-read", title: "through FUSE: buffered READ 1 MiB, one by one",
			contenders: []contender{
				{ours, onMount(gonfsMount, "read", big, "size", bytes, "bs", 1<<20)},
				{nullFUSE, onMount(nullMount, "read", big, "size", bytes, "bs", 1<<20)},
			},
			goals: []goal{{mibPerSec, ours, nullFUSE, 0.45, 0.65}, {cpuPerGiB, ours, nullFUSE, 2.2, 1.7}},
		},
		{
			id: "fuse-write", title: "through FUSE: buffered WRITE 1 MiB, one by one, and close",
			contenders: []contender{
				{ours, onMount(gonfsMount, "write", "written", "size", bytes, "bs", 1<<20)},
				{nullFUSE, onMount(nullMount, "write", "written", "size", bytes, "bs", 1<<20)},
			},
			goals: []goal{{mibPerSec, ours, nullFUSE, 0.6, 0.9}},
		},
		{
			id: "fuse-rand", title: "through FUSE: READ 4 KiB at random, 32 in flight",
			contenders: []contender{
				{ours, onMount(gonfsMount, "randread", big, "size", bytes, "bs", 4096, "qd", 32, "ops", s.ops/2)},
				{nullFUSE, onMount(nullMount, "randread", big, "size", bytes, "bs", 4096, "qd", 32, "ops", s.ops/2)},
			},
			goals: []goal{{opsPerSec, ours, nullFUSE, 0.35, 0.5}},
		},
	}
}
