package main

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestAVerdictHeedsTheToleranceAndTheDirection(t *testing.T) {
	more := goal{metric: mibPerSec, of: ours, vs: libnfs, must: 1.0, aim: 1.5}
	less := goal{metric: cpuPerGiB, of: ours, vs: libnfs, must: 1.0, aim: 0.5}
	noAim := goal{metric: opsPerSec, of: ours, vs: libnfs, must: 2}
	for _, tt := range []struct {
		name  string
		g     goal
		value float64
		want  string
	}{
		{"more than the aim", more, 1.6, reached},
		{"just the aim", more, 1.5, reached},
		{"just the must", more, 1.0, holds},
		{"a little less than the must", more, 0.91, nearly},
		{"much less than the must", more, 0.89, missed},
		{"less than the aim, where less is better", less, 0.4, reached},
		{"just the must, where less is better", less, 1.0, holds},
		{"a little more than the must, where less is better", less, 1.09, nearly},
		{"much more than the must, where less is better", less, 1.11, missed},
		{"no aim", noAim, 100, holds},
		{"nothing measured", more, 0, unmeasured},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.g.verdict(tt.value); got != tt.want {
				t.Errorf("%v: %q, want %q", tt.value, got, tt.want)
			}
		})
	}
}

func TestAGoalIsARatioOfMedians(t *testing.T) {
	res := &result{Samples: map[string][]sample{
		ours:   {{MiBPerSec: 100, RSS: 7}, {MiBPerSec: 30, RSS: 9}, {MiBPerSec: 20, RSS: 8}},
		libnfs: {{MiBPerSec: 10}, {MiBPerSec: 20}},
	}}
	for _, tt := range []struct {
		name string
		g    goal
		want float64
	}{
		{"odd over even", goal{metric: mibPerSec, of: ours, vs: libnfs}, 2},
		{"even over odd", goal{metric: mibPerSec, of: libnfs, vs: ours}, 0.5},
		{"against a contender that failed", goal{metric: mibPerSec, of: ours, vs: willscott}, 0},
		{"without a peer it is the median itself", goal{metric: rssMiB, of: ours}, 8},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.g.measured(res); got != tt.want {
				t.Errorf("%v, want %v", got, tt.want)
			}
		})
	}
}

func TestALineThatMeasuredNothingIsRefused(t *testing.T) {
	for line, ok := range map[string]bool{
		`{"mode":"read","seconds":1.5,"ops":3,"bytes":9}`: true,
		`{"mode":"read","seconds":0,"ops":3}`:             false,
		`{"mode":"read","seconds":1,"ops":0}`:             false,
		``:                                                false,
		`Segmentation fault`:                              false,
	} {
		if _, err := parseSample([]byte(line)); (err == nil) != ok {
			t.Errorf("%q: %v", line, err)
		}
	}
}

func TestTheMachineIsWaitedFor(t *testing.T) {
	for _, tt := range []struct {
		name  string
		loads []string // one a second, the last for ever
		took  time.Duration
		says  string
	}{
		{"at rest", []string{"0.49"}, 0, ""},
		{"busy for a while", []string{"1.20", "0.80", "0.30"}, 2 * time.Second, "its load is 1.20"},
		{"always busy", []string{"3.00"}, restMost, "its load is 3.00"},
		{"nobody knows", []string{"?"}, 0, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var out strings.Builder
				start := time.Now()
				rest(t.Context(), &out, func() string {
					l := tt.loads[0]
					if len(tt.loads) > 1 {
						tt.loads = tt.loads[1:]
					}
					return l
				})
				if took := time.Since(start); took != tt.took {
					t.Errorf("it took %v, want %v", took, tt.took)
				}
				if got := out.String(); !strings.Contains(got, tt.says) || tt.says == "" && got != "" {
					t.Errorf("it says %q", got)
				}
			})
		})
	}
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithTimeout(t.Context(), 1500*time.Millisecond)
		defer stop()
		start := time.Now()
		rest(ctx, io.Discard, func() string { return "9" })
		if took := time.Since(start); took != 1500*time.Millisecond {
			t.Errorf("canceled after 1.5 s: it took %v", took)
		}
	})
}

func TestEveryGoalNamesContendersOfItsRow(t *testing.T) {
	seen := map[string]bool{}
	for _, r := range rows(full) {
		if seen[r.id] || r.title == "" || len(r.goals) == 0 {
			t.Errorf("row %q: a second one of that name, or no title or goal", r.id)
		}
		seen[r.id] = true
		has := func(name string) bool {
			return slices.ContainsFunc(r.contenders, func(c contender) bool { return c.name == name })
		}
		for _, g := range r.goals {
			if !has(g.of) || g.vs != "" && !has(g.vs) {
				t.Errorf("row %s: %s names a contender that is not there", r.id, g)
			}
			if g.aim != 0 && (g.aim < g.must) != g.metric.less {
				t.Errorf("row %s: %s: the aim is easier than the must", r.id, g)
			}
		}
	}
	for _, p := range plans {
		for _, id := range p.rows {
			if !seen[id] {
				t.Errorf("chart %s shows row %s, which is not there", p.name, id)
			}
		}
	}
}

func TestRowsAreMeasuredInTurnAndFailuresAreKept(t *testing.T) {
	var order []string
	run := func(name string, err error) contender {
		return contender{name, func(*world) (sample, error) {
			order = append(order, name)
			return sample{MiBPerSec: float64(len(order))}, err
		}}
	}
	r := &row{id: "r", contenders: []contender{run("a", nil), run("b", os.ErrInvalid), run("c", nil)}}
	w := &world{ctx: context.Background(), log: slog.New(slog.DiscardHandler)}
	res := w.repeat(r, 3)
	if got := strings.Join(order, ""); got != "abcbcacab" {
		t.Errorf("the order was %s", got)
	}
	if len(res.Samples["a"]) != 3 || len(res.Samples["b"]) != 0 || res.Failed["b"] != os.ErrInvalid.Error() {
		t.Errorf("%+v", res)
	}
}

func TestAResultCountsForTheProgramsThatMadeIt(t *testing.T) {
	bin, dir := t.TempDir(), t.TempDir()
	build := func(text string) *store {
		for _, name := range []string{"gonfs", "nullnfsd"} {
			if err := os.WriteFile(filepath.Join(bin, name), []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		s, err := newStore(dir, bin, full)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	s := build("one")
	fresh := func(s *store, row string) bool {
		_, f, err := s.load(row)
		if err != nil {
			t.Error(err)
		}
		return f
	}
	for _, res := range []*result{{Row: "whole"}, {Row: "half", Failed: map[string]string{ours: "no"}}} {
		if err := s.save(res); err != nil {
			t.Fatal(err)
		}
	}
	if !fresh(s, "whole") || fresh(s, "half") || fresh(s, "none") {
		t.Error("of the rows whole, half and none just the first is measured")
	}
	if fresh(build("two"), "whole") {
		t.Error("a result of other programs counts")
	}
	again, err := newStore(dir, bin, quick)
	if err != nil || fresh(again, "whole") {
		t.Errorf("a result of another scale counts: %v", err)
	}
}

func TestTheReportShowsWhatWasMeasuredAndWhatWasNot(t *testing.T) {
	all := []row{
		{id: "read", title: "READ", note: "A note", contenders: []contender{{name: ours}, {name: libnfs}, {name: willscott}}, goals: []goal{{mibPerSec, ours, libnfs, 1, 2}}},
		{id: "write", title: "WRITE", contenders: []contender{{name: ours}}, goals: []goal{{rssMiB, ours, "", 300, 0}}},
	}
	results := map[string]*result{"read": {Row: "read", When: time.Unix(0, 0), Load: "1 – 2", Samples: map[string][]sample{
		ours:   {{MiBPerSec: 300, Bytes: 1 << 30, CPUUser: 0.5}},
		libnfs: {{MiBPerSec: 200, Bytes: 1 << 30, CPUUser: 0.25}},
	}}}
	var out bytes.Buffer
	writeReport(&out, []fact{{"processor", "fast"}}, all, results, []chart{{Name: "bulk", Title: "Bulk"}}, "benchmarks")
	for _, want := range []string{
		"- processor: fast\n",
		"| READ | gonfs : libnfs 4.0, MiB/s | ≥ 1 | ≥ 2 | 1.5 | holds |",
		"| WRITE | gonfs: RSS, MiB | ≤ 300 | – | – | not measured |",
		"![Bulk](benchmarks/bulk.svg)",
		"A note.\n",
		"| gonfs | 300 | 0.5 | 1 |",
		"| willscott/go-nfs-client | – | – | failed |",
		"load of the machine 1 – 2; row `read`",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is missing in:\n%s", want, out.String())
		}
	}
	if strings.Contains(out.String(), "### WRITE") {
		t.Error("there are figures of a row that was not measured")
	}
}

func TestAChartHasAValueForEachLabel(t *testing.T) {
	all := rows(full)
	results := map[string]*result{}
	for _, r := range all {
		res := &result{Samples: map[string][]sample{}}
		for _, c := range r.contenders {
			res.Samples[c.name] = []sample{{MiBPerSec: 10, OpsPerSec: 20, Bytes: 1 << 30, CPUUser: 1}}
		}
		results[r.id] = res
	}
	charts := chartsOf(all, results)
	if len(charts) != len(plans) {
		t.Fatalf("%d charts of %d", len(charts), len(plans))
	}
	for i, c := range charts {
		if len(c.Labels) != len(plans[i].rows) {
			t.Errorf("%s has the labels %q, want %q", c.Name, c.Labels, plans[i].rows)
		}
		for _, s := range c.Series {
			if len(s.Values) != len(c.Labels) {
				t.Errorf("%s: %s has %d values for %d labels", c.Name, s.Name, len(s.Values), len(c.Labels))
			}
		}
	}
}

func TestOptionsOfPeersAreNamesAndValues(t *testing.T) {
	if got, want := pairs([]any{"file=/big", "size", int64(5), "bs", 1 << 10}), []string{"file=/big", "size=5", "bs=1024"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestRowsAreChosenByName(t *testing.T) {
	all := rows(quick)
	if got, err := choose(all, nil); err != nil || len(got) != len(all) {
		t.Errorf("%d rows, %v; want all", len(got), err)
	}
	if got, err := choose(all, []string{"small", "read-1m"}); err != nil || len(got) != 2 || got[0].id != "small" {
		t.Errorf("%v, %v", got, err)
	}
	if _, err := choose(all, []string{"small", "large"}); err == nil || !strings.Contains(err.Error(), `"large"`) {
		t.Errorf("%v, want that there is no row large", err)
	}
}

func TestTheReportShowsTheCallsThatWereCounted(t *testing.T) {
	s := &store{dir: t.TempDir()}
	if list, err := s.loadRPCs(); len(list) != 0 || err != nil {
		t.Errorf("nothing was counted: %v, %v", list, err)
	}
	if err := os.WriteFile(filepath.Join(s.dir, "rpcs.json"), []byte(`[{"work":"ls -l","linux":8,"ours":5,"calls":"ACCESS:1 READDIRPLUS:4"}]`), 0o644); err != nil {
		t.Fatal(err)
	}
	list, err := s.loadRPCs()
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	writeRPCs(&out, list)
	if want := "| ls -l | 5 | 8 | ACCESS:1 READDIRPLUS:4 |\n"; !strings.Contains(out.String(), want) {
		t.Errorf("%q is missing in:\n%s", want, out.String())
	}
}
