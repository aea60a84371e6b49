module synchroscope/engine-go

go 1.24
