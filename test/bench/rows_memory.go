package main

import "fmt"

// memoryRow watches how much memory the daemon of a mount needs while it moves
// more than fits into it.
func memoryRow(s scale) row {
	amount := fmt.Sprintf("%d GiB", s.rss>>10)
	bytes := int64(s.rss) << 20
	reading, writing := ours+" reading "+amount, ours+" writing "+amount
	listing := fmt.Sprintf("%s listing %d entries", ours, s.list)
	return row{
		id: "memory", title: "the daemon's memory", once: true,
		note: "What VmHWM in /proc/PID/status says at the end: the most that was ever resident",
		contenders: []contender{
			{reading, onMount(gonfsMount, "read", fmt.Sprintf("big%d", s.rss), "size", bytes, "bs", 1<<20)},
			{writing, onMount(gonfsMount, "write", "written", "size", bytes, "bs", 1<<20)},
			{listing, onMount(gonfsMount, "list", fmt.Sprintf("dir%d", s.list))},
		},
		goals: []goal{{rssMiB, reading, "", 300, 0}, {rssMiB, writing, "", 300, 0}, {rssMiB, listing, "", 150, 0}},
	}
}
