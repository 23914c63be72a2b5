package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// report writes what was measured, and draws its charts beside it.
func (w *world) report(doc string, all []row, kept *store) error {
	results := map[string]*result{}
	for i := range all {
		res, _, err := kept.load(all[i].id)
		if err != nil {
			return err
		}
		if res != nil {
			results[all[i].id] = res
		}
	}
	dir, name := filepath.Split(doc)
	folder := strings.TrimSuffix(name, filepath.Ext(name))
	if err := os.MkdirAll(filepath.Join(dir, folder), 0o755); err != nil {
		return err
	}
	charts := chartsOf(all, results)
	if err := w.draw(filepath.Join(dir, folder), charts); err != nil {
		return err
	}
	var text bytes.Buffer
	writeReport(&text, machine(w.ctx, w.bin), all, results, charts, folder)
	rpcs, err := kept.loadRPCs()
	if err != nil {
		return err
	}
	if len(rpcs) > 0 {
		writeRPCs(&text, rpcs)
	}
	return os.WriteFile(doc, text.Bytes(), 0o644)
}

func writeReport(out io.Writer, facts []fact, all []row, results map[string]*result, charts []chart, folder string) {
	fmt.Fprint(out, `# Benchmarks

Written by `+"`make bench`"+`: gonfs beside its peers, each of them used in its fastest way, on one machine, a row in one run. All talk
to a server that costs next to nothing, over loopback; figures are medians. What counts are the ratios: absolute rates are those
of this machine. `+"`go doc ./test/bench`"+` tells how it is done and what misleads.

`)
	for _, f := range facts {
		fmt.Fprintf(out, "- %s: %s\n", f.name, f.value)
	}
	fmt.Fprint(out, "\n## Goals\n\nA goal holds within 10 %.\n\n| work | ratio | must | aim | measured | |\n|---|---|---|---|---|---|\n")
	for i := range all {
		writeGoals(out, &all[i], results[all[i].id])
	}
	fmt.Fprint(out, "\n## Charts\n")
	for _, c := range charts {
		fmt.Fprintf(out, "\n![%s](%s/%s.svg)\n", c.Title, folder, c.Name)
	}
	fmt.Fprint(out, "\n## Figures\n")
	for i := range all {
		if res := results[all[i].id]; res != nil {
			writeFigures(out, &all[i], res)
		}
	}
}

func writeGoals(out io.Writer, r *row, res *result) {
	for i, g := range r.goals {
		title := ""
		if i == 0 {
			title = r.title
		}
		value, verdict := "–", unmeasured
		if res != nil {
			if v := g.measured(res); v != 0 {
				value, verdict = number(v), g.verdict(v)
			}
		}
		fmt.Fprintf(out, "| %s | %s | %s | %s | %s | %s |\n", title, g, g.bound(g.must), g.bound(g.aim), value, verdict)
	}
}

func writeFigures(out io.Writer, r *row, res *result) {
	fmt.Fprintf(out, "\n### %s\n\n", r.title)
	if r.note != "" {
		fmt.Fprintf(out, "%s.\n\n", r.note)
	}
	columns := metrics(r)
	fmt.Fprint(out, "| |")
	for _, m := range columns {
		fmt.Fprintf(out, " %s |", m.name)
	}
	fmt.Fprintf(out, " runs |\n|---|%s---|\n", strings.Repeat("---|", len(columns)))
	for _, c := range r.contenders {
		samples := res.Samples[c.name]
		if len(samples) == 0 {
			fmt.Fprintf(out, "| %s |%s failed |\n", c.name, strings.Repeat(" – |", len(columns)))
			continue
		}
		fmt.Fprintf(out, "| %s |", c.name)
		for _, m := range columns {
			fmt.Fprintf(out, " %s |", number(medianOf(samples, m)))
		}
		fmt.Fprintf(out, " %d |\n", len(samples))
	}
	fmt.Fprintf(out, "\nMeasured on %s; load of the machine %s; row `%s`.\n", res.When.UTC().Format("2006-01-02 15:04 MST"), res.Load, r.id)
}

// draw has the charts drawn, by the program of that name.
func (w *world) draw(dir string, charts []chart) error {
	spec, err := json.Marshal(charts)
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(w.ctx, w.path("chart"), dir)
	cmd.Stdin = bytes.NewReader(spec)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("chart: %w: %s", err, out)
	}
	return nil
}
