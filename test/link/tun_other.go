//go:build !linux

package main

import (
	"errors"
	"io"
)

func openTUN(path, name string) (io.ReadWriteCloser, error) {
	return nil, errors.New("network namespaces and their TUN devices are Linux's")
}
