#!/usr/bin/env -S node --max-semi-space-size=4 --no-allocation-site-pretenuring --expose-gc
// The door: looks at Node's version before anything else is loaded, since on an older one a native module would crash
// instead of saying why. Any Node from 12 on can parse this file: no imports at the top, no newer syntax.
//
// The first flag keeps V8's nursery small: a scheduler lives long and makes little garbage, and what a start or a reload
// leaves would stay resident (bench/RESULTS.md, memory). spawn() costs in proportion to it. The others keep the memory that a
// slot needs at hand, and let the scheduler collect its garbage between slots instead of while one is due
// (docs/adr/0016-garbage-is-collected-between-slots.md).

// File systems are asked by a pool of threads, four unless somebody says otherwise, and a mount that hangs keeps its thread. What
// may hang is bounded wherever it is asked (conditions, stages); the rest is for the journal. Read before its first use.
process.env.UV_THREADPOOL_SIZE = process.env.UV_THREADPOOL_SIZE || '12'

var version = process.versions.node.split('.').map(Number)

if (version[0] < 22 || (version[0] === 22 && version[1] < 22)) {
  process.stderr.write(
    'scheduler needs Node.js 22.22 or newer, and this is ' +
      process.versions.node +
      ' (' +
      process.execPath +
      '). In a checkout, `npm start` uses the Node that the project brings along.\n',
  )
  process.exitCode = 2
} else {
  keepCompiled()
    .then(() => import('node:fs'))
    .then(fs => {
      // A checkout runs its sources, so that an edit counts at once; the published package holds only dist.
      var source = new URL('../src/cli/main.ts', import.meta.url)
      return import(
        fs.existsSync(source) ? source.href : new URL('../dist/cli/main.js', import.meta.url).href
      )
    })
    .then(cli => cli.main(process.argv.slice(2)))
    .catch(error => {
      process.stderr.write(
        'scheduler could not start: ' + (error instanceof Error ? error.stack : error) + '\n',
      )
      process.exitCode = 1
    })
}

// Compiled code is kept between calls, which makes a command start twice as fast; in a folder of this user alone, since
// whoever can write there decides what is run.
function keepCompiled() {
  return import('node:module').then(module => {
    var env = process.env
    var base = env.XDG_CACHE_HOME || (env.HOME && env.HOME + '/.cache')
    if (base && base[0] === '/') module.enableCompileCache(base + '/dagbok')
  })
}
