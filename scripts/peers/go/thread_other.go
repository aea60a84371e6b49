//go:build !linux

package main

import (
	"fmt"
	"runtime"
	"time"
)

func pinThread(cpu int) error {
	return fmt.Errorf("cannot run on cpu %d: pinning on %s is not supported", cpu, runtime.GOOS)
}

func sleepThread(ns int64) {
	time.Sleep(time.Duration(ns))
}

// account knows nothing here.
type account struct{}

func openAccount() account {
	return account{}
}

func (account) read() usage {
	return usage{}
}
