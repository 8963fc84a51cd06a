package usage

import "time"

// WatchStalls looks now and then for how long the processes below this one have waited for a processor. stop ends that, and
// gives the part of the time in which a process was ready to run and others had the processors, from 0 to 0.9.
func WatchStalls() (stop func() (lacked float64)) {
	begin, done, last := time.Now(), make(chan struct{}), make(chan float64)
	go func() {
		var lacked float64
		for {
			elapsed := time.Since(begin)
			if _, stalled, ok := CPU(); ok && elapsed > 0 {
				lacked = min(0.9, stalled.Seconds()/elapsed.Seconds())
			}
			select {
			case <-done:
				last <- lacked
				return
			case <-time.After(max(first, elapsed/8)):
			}
		}
	}()
	return func() float64 {
		close(done)
		return <-last
	}
}
