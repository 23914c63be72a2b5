package mounter

import (
	"io"
	"log/slog"
	"log/syslog"
	"os"
)

// newLog returns where the daemon logs: the file that was asked for, else the
// system log, else, where there is none, its stderr, which is the terminal's
// until the mount is there. The file is to be closed at the end.
func newLog(r Request) (*slog.Logger, io.Closer) {
	level := slog.LevelInfo
	if r.Verbose {
		level = slog.LevelDebug
	}
	o := &slog.HandlerOptions{Level: level}
	terminal := slog.New(slog.NewTextHandler(os.Stderr, o))
	if r.LogFile != "" {
		f, err := os.OpenFile(r.LogFile, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
		if err == nil {
			return slog.New(slog.NewTextHandler(f, o)), f
		}
		terminal.Error("log file", "err", err)
	}
	w, err := syslog.New(syslog.LOG_DAEMON|syslog.LOG_INFO, r.Program)
	if err != nil {
		o.Level = slog.LevelWarn // the terminal is told the steps of the mount, if -v asks for them, by Serve
		return slog.New(slog.NewTextHandler(os.Stderr, o)), io.NopCloser(nil)
	}
	return slog.New(slog.NewTextHandler(w, o)), w
}
