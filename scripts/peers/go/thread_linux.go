// What the kernel knows about one thread: its core, its time, its switches. Only a goroutine that is locked to its
// thread may ask.
package main

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"syscall"
	"unsafe"
)

const (
	// clockThreadCPUTime is CLOCK_THREAD_CPUTIME_ID: unlike schedstat it counts up to this moment, not to the last tick.
	clockThreadCPUTime = 3
	// rusageThread is RUSAGE_THREAD.
	rusageThread = 1
)

// pinThread keeps the calling thread on one core.
func pinThread(cpu int) error {
	const wordBits = 8 * int(unsafe.Sizeof(uintptr(0)))
	var mask [1024 / wordBits]uintptr
	if cpu < 0 || cpu >= wordBits*len(mask) {
		return fmt.Errorf("cannot run on cpu %d: expected 0 to %d", cpu, wordBits*len(mask)-1)
	}
	mask[cpu/wordBits] |= 1 << (cpu % wordBits)
	// The mask outlives the call, which only reads it.
	_, _, errno := syscall.RawSyscall(syscall.SYS_SCHED_SETAFFINITY, 0, unsafe.Sizeof(mask), uintptr(unsafe.Pointer(&mask)))
	if errno != 0 {
		return fmt.Errorf("cannot run on cpu %d: it does not exist or this process may not use it (%w)", cpu, errno)
	}
	return nil
}

// sleepThread stops the calling thread in the kernel. It may return early, by a signal of the runtime's.
func sleepThread(ns int64) {
	request := syscall.NsecToTimespec(ns)
	_ = syscall.Nanosleep(&request, nil)
}

// account reads the scheduler's account of the thread that opened it.
type account struct {
	// schedstat stays open: opened by this thread, the file goes on to tell about this thread.
	schedstat *os.File
}

func openAccount() account {
	file, err := os.Open("/proc/thread-self/schedstat")
	if err != nil {
		return account{}
	}
	return account{schedstat: file}
}

// read is the account since the thread began. A part that cannot be had is nil.
func (a account) read() usage {
	var out usage
	var cpu syscall.Timespec
	// The kernel writes the time through a valid pointer.
	_, _, errno := syscall.RawSyscall(syscall.SYS_CLOCK_GETTIME, clockThreadCPUTime, uintptr(unsafe.Pointer(&cpu)), 0)
	if errno == 0 {
		out.cpuNS = known(uint64(cpu.Nano()))
	}
	var resources syscall.Rusage
	if syscall.Getrusage(rusageThread, &resources) == nil {
		out.voluntary = known(uint64(resources.Nvcsw))
		out.involuntary = known(uint64(resources.Nivcsw))
	}
	if a.schedstat == nil {
		return out
	}
	var text [96]byte
	n, _ := a.schedstat.ReadAt(text[:], 0)
	if fields := bytes.Fields(text[:n]); len(fields) >= 2 {
		if delay, err := strconv.ParseUint(string(fields[1]), 10, 64); err == nil {
			out.runDelayNS = known(delay)
		}
	}
	return out
}
