package main

import (
	"github.com/urfave/cli/v2"
)

func catCommand() *cli.Command {
	return &cli.Command{
		Name:      "cat",
		Usage:     "write files of an export to standard output",
		ArgsUsage: "SERVER:/FILE…",
		Flags:     []cli.Flag{optionFlag()},
		Action: func(c *cli.Context) error {
			operands, err := args(c, 1, 0, "SERVER:/FILE")
			if err != nil {
				return err
			}
			return eachTarget(c, operands, func(t *target) error {
				h, err := t.Open(c.Context, t.path)
				if err != nil {
					return err
				}
				_, err = h.WriteTo(c.Context, c.App.Writer)
				if cerr := h.Close(c.Context); err == nil {
					err = cerr
				}
				return err
			})
		},
	}
}
