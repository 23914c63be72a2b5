// Package exitcodes has the exit codes of mount(8), and errors that carry one.
// Whatever goes wrong travels up to main as an error; only main exits.
package exitcodes
