// Command locker takes locks for the tests, in every way that Linux has, and
// says what came of it.
//
//	locker hold FILE KIND TYPE START LENGTH   takes a lock, prints "held", and holds it until its standard input ends
//	locker wait FILE KIND TYPE START LENGTH   prints "waiting", waits for the lock, prints "held" and how long it took
//	locker try  FILE KIND TYPE START LENGTH   exits with 0 if the lock could be had at once, with 1 if somebody is in the way
//	locker test FILE KIND TYPE START LENGTH   prints who is in the way, as "TYPE START LENGTH", or "free"
//	locker count FILE KIND N                  N times: locks FILE, adds 1 to the number in it, unlocks it
//	locker squat PROGRAM VERSION              registers a program at a port where nobody answers, until its input ends
//
// KIND is posix (fcntl F_SETLK), ofd (F_OFD_SETLK) or flock, which has no
// ranges; TYPE is shared or exclusive; LENGTH 0 is to the end of the file.
package main
