package main

import (
	"fmt"

	"github.com/rodaine/table"
	"github.com/urfave/cli/v2"
)

func dfCommand() *cli.Command {
	return &cli.Command{
		Name:      "df",
		Usage:     "show how full the file system of an export is",
		ArgsUsage: "SERVER:/PATH…",
		Flags: []cli.Flag{
			optionFlag(),
			&cli.BoolFlag{Name: "human", Aliases: []string{"H"}, Usage: "sizes as 1.5G instead of KiB"},
			&cli.BoolFlag{Name: "i", Usage: "files (inodes) instead of bytes"},
		},
		Action: func(c *cli.Context) error {
			operands, err := args(c, 1, 0, "SERVER:/PATH")
			if err != nil {
				return err
			}
			tbl := table.New("Filesystem", "1K-blocks", "Used", "Available", "Use%")
			size := kib
			if c.Bool("human") {
				tbl = table.New("Filesystem", "Size", "Used", "Avail", "Use%")
				size = human
			}
			if c.Bool("i") {
				tbl = table.New("Filesystem", "Inodes", "IUsed", "IFree", "IUse%")
				size = count
			}
			tbl.WithWriter(c.App.Writer)
			rows := 0
			err = eachTarget(c, operands, func(t *target) error {
				s, err := t.StatFS(c.Context, t.path)
				if err != nil {
					return err
				}
				total, free, avail := s.Tbytes, s.Fbytes, s.Abytes
				if c.Bool("i") {
					total, free, avail = s.Tfiles, s.Ffiles, s.Afiles
				}
				used := total - min(free, total)
				rows++
				tbl.AddRow(t.arg, size(total), size(used), size(avail), percent(used, avail))
				return nil
			})
			if rows > 0 {
				tbl.Print()
			}
			return err
		},
	}
}

func kib(n uint64) string   { return fmt.Sprint((n + 1023) / 1024) }
func count(n uint64) string { return fmt.Sprint(n) }

// percent is used of what a user could use, rounded up, as df has it.
func percent(used, avail uint64) string {
	all := float64(used) + float64(avail)
	if all == 0 {
		return "-"
	}
	p := float64(used) * 100 / all
	if p > float64(int(p)) {
		p++
	}
	return fmt.Sprintf("%d%%", int(p))
}

// human writes n with three digits and a power of 1024.
func human(n uint64) string {
	const units = "KMGTPE"
	if n < 1024 {
		return fmt.Sprint(n)
	}
	x, i := float64(n)/1024, 0
	for x >= 999.5 && i < len(units)-1 {
		x, i = x/1024, i+1
	}
	if x < 9.95 {
		return fmt.Sprintf("%.1f%c", x, units[i])
	}
	return fmt.Sprintf("%.0f%c", x, units[i])
}
