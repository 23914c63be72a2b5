package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// params is what the link does to packets.
type params struct {
	delay                       time.Duration
	loss, dup, reorder, corrupt float64 // shares of all packets
	late                        time.Duration
	hold                        time.Duration
}

// parse reads words of the form key=value.
func parse(words []string) (params, error) {
	p := params{hold: 2 * time.Millisecond}
	shares := map[string]*float64{"loss": &p.loss, "dup": &p.dup, "reorder": &p.reorder, "corrupt": &p.corrupt}
	times := map[string]*time.Duration{"delay": &p.delay, "late": &p.late, "hold": &p.hold}
	for _, word := range words {
		key, value, _ := strings.Cut(word, "=")
		if share := shares[key]; share != nil {
			v, err := strconv.ParseFloat(value, 64)
			if err != nil || !(v >= 0 && v <= 1) {
				return params{}, fmt.Errorf("%s: want a number from 0 to 1", word)
			}
			*share = v
		} else if d := times[key]; d != nil {
			v, err := time.ParseDuration(value)
			if err != nil || v < 0 || v > time.Minute {
				return params{}, fmt.Errorf("%s: want a time of at most 1m, as in %s=20ms", word, key)
			}
			*d = v
		} else {
			return params{}, fmt.Errorf("%s: not one of delay, loss, dup, late, reorder, hold, corrupt", word)
		}
	}
	return p, nil
}
