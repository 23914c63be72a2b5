package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/gonfs/gonfs/cmd/internal/bench"
	"github.com/gonfs/gonfs/cmd/internal/exitcodes"
)

func benchCommand() *cli.Command {
	return &cli.Command{
		Name:      "bench",
		Usage:     "measure how fast an export is",
		ArgsUsage: "MODE SERVER:/DIR",
		Description: "MODE is one of these; in brackets the flags that it heeds:\n\n" + bench.Describe() + "\n" +
			"What is needed is made in DIR before, and removed after, the measured part. Sizes\n" +
			"may end in K, M, G or T.",
		Flags: []cli.Flag{
			optionFlag(),
			&cli.StringFlag{Name: "file", Usage: "read or write the file `NAME` (its content is overwritten), or look up and list the entries of the directory NAME"},
			&cli.StringFlag{Name: "size", Usage: "`BYTES` of the file"},
			&cli.StringFlag{Name: "bs", Usage: "`BYTES` of one read or write"},
			&cli.IntFlag{Name: "qd", Usage: "how many calls are under way at once"},
			&cli.Int64Flag{Name: "ops", Usage: "how many calls to make"},
			&cli.Int64Flag{Name: "files", Usage: "how many files to make"},
			&cli.BoolFlag{Name: "json", Usage: "print one line of JSON"},
			&cli.StringFlag{Name: "cpuprofile", Usage: "write a profile of the measured part to `FILE`, for go tool pprof"},
		},
		Action: func(c *cli.Context) error {
			operands, err := args(c, 2, 2, "MODE and SERVER:/DIR")
			if err != nil {
				return err
			}
			cfg, err := benchConfig(c, operands[0])
			if err != nil {
				return exitcodes.Usage(err)
			}
			return runBench(c, cfg, operands[1])
		},
	}
}

// benchConfig gathers the flags.
func benchConfig(c *cli.Context, mode string) (bench.Config, error) {
	cfg := bench.Config{Mode: mode, File: c.String("file"), Depth: c.Int("qd"), Ops: c.Int64("ops"), Files: c.Int64("files")}
	for name, n := range map[string]int64{"qd": int64(cfg.Depth), "ops": cfg.Ops, "files": cfg.Files} {
		if c.IsSet(name) && n == 0 { // which would mean the default
			return cfg, fmt.Errorf("bench: --%s 0: 1 is the least", name)
		}
	}
	for name, to := range map[string]*int64{"size": &cfg.Size, "bs": &cfg.BlockSize} {
		if !c.IsSet(name) {
			continue
		}
		n, err := parseSize(c.String(name))
		if err != nil {
			return cfg, fmt.Errorf("bench: --%s %s: %w", name, c.String(name), err)
		}
		*to = n
	}
	return cfg, bench.Check(cfg)
}

func runBench(c *cli.Context, cfg bench.Config, spec string) (err error) {
	var profile io.Writer
	if name := c.String("cpuprofile"); name != "" {
		f, err := os.Create(name)
		if err != nil {
			return fmt.Errorf("bench: %w", err)
		}
		defer func() { err = errors.Join(err, f.Close()) }()
		profile = f
	}
	t, err := openTargetWith(c, spec, bench.MountOptions(cfg.Mode))
	if err != nil {
		return err
	}
	result, err := bench.Run(c.Context, t.FS, t.path, cfg, profile)
	if err = closeTarget(c.Context, t, err); err != nil {
		return fmt.Errorf("bench %s: %s: %w", cfg.Mode, spec, err)
	}
	if c.Bool("json") {
		return result.WriteJSON(c.App.Writer)
	}
	return result.WriteText(c.App.Writer)
}

// parseSize reads a number of bytes with an optional K, M, G or T, powers of
// 1024.
func parseSize(s string) (int64, error) {
	digits, shift := s, 0
	if s != "" {
		if i := strings.IndexByte("KMGT", strings.ToUpper(s)[len(s)-1]); i >= 0 {
			digits, shift = s[:len(s)-1], 10*(i+1)
		}
	}
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil || n < 1 || n > 1<<62>>shift {
		return 0, errors.New("a number of bytes is expected, as 4096, 64K or 10G")
	}
	return n << shift, nil
}
