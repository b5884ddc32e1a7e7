// Makes policy.js into a component. Every feature that would let it see more than the contract allows is
// left out.
import { writeFile } from 'node:fs/promises';
// It needs preview2-shim beside it, which package.json therefore names too.
import { componentize } from '@bytecodealliance/componentize-js';

const { component } = await componentize({
    sourcePath: 'policy.js',
    witPath: 'wit',
    worldName: 'policy',
    disableFeatures: ['random', 'stdio', 'clocks', 'http', 'fetch-event'],
});
await writeFile('policy.wasm', component);
console.log(`policy.wasm, ${component.length} bytes`);
