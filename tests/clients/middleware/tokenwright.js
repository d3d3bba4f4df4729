// The program with the permissions of the examples, on a file of its own. It can be ended and started again.

import { execFile, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const binary = process.env.TOKENWRIGHT_BINARY;
const PERMISSIONS = fileURLToPath(new URL('../../../examples/permissions.toml', import.meta.url));

export class Tokenwright {
  said = [];
  #listen = '127.0.0.1:0';
  #waiting = new Set();

  static async start() {
    if (!binary) throw new Error('TOKENWRIGHT_BINARY does not name the program; run scripts/test');
    const tokenwright = new Tokenwright();
    tokenwright.folder = await mkdtemp(join(tmpdir(), 'tokenwright-'));
    tokenwright.env = {
      TOKENWRIGHT_DATABASE_URL: `sqlite:${join(tokenwright.folder, 'test.db')}`,
      TOKENWRIGHT_PERMISSIONS: PERMISSIONS,
    };
    await tokenwright.#run('migrate');
    tokenwright.token = await tokenwright.#run(
      'admin', 'create-token', '--name', 'administrator', '--expires-in', '90d', '--all-permissions',
    );
    await tokenwright.start();
    return tokenwright;
  }

  async start() {
    // At `debug` each question has a line, also one whose answer is good news.
    this.child = spawn(binary, ['serve', '--listen', this.#listen, '--log', 'info,tokenwright=debug'], {
      env: this.env,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    this.ended = new Promise((resolve) => this.child.once('exit', resolve));
    createInterface({ input: this.child.stderr }).on('line', (line) => {
      this.said.push(line);
      for (const look of this.#waiting) look();
    });
    const since = this.said.length;
    const failed = this.ended.then((code) => { throw new Error(`it ended with ${code}:\n${this.said.join('\n')}`); });
    failed.catch(() => {});
    const listening = /listening on (http:\/\/(\S+))/;
    await Promise.race([this.#until(() => this.said.slice(since).some((line) => listening.test(line))), failed]);
    [, this.origin, this.#listen] = listening.exec(this.said.slice(since).find((line) => listening.test(line)));
    this.url = `${this.origin}/graphql`;
  }

  /// As `kill -9` does.
  async end() {
    this.child.kill('SIGKILL');
    await this.ended;
  }

  async stop() {
    await this.end();
    await rm(this.folder, { recursive: true, force: true });
  }

  hang() { this.child.kill('SIGSTOP'); }
  goOn() { this.child.kill('SIGCONT'); }

  /// How many questions about tokens it has answered.
  async asked() {
    const requests = (path) => this.said.filter((line) => line.includes(`path="${path}"`) && line.includes('answered')).length;
    const before = requests('/graphql');
    await this.execute('{ currentApiToken { id } }');
    // The lines come in their order.
    await this.#until(() => requests('/graphql') > before);
    return requests('/oauth2/introspect');
  }

  /// Runs a document; its first field.
  async execute(query, variables) {
    const response = await fetch(this.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${this.token}` },
      body: JSON.stringify({ query, variables }),
    });
    const { data, errors } = await response.json();
    if (errors) throw new Error(JSON.stringify(errors));
    return Object.values(data)[0];
  }

  async #run(...args) {
    const { stdout } = await promisify(execFile)(binary, args, { env: this.env });
    return stdout.trim();
  }

  #until(holds) {
    return new Promise((resolve) => {
      const look = () => {
        if (!holds()) return;
        this.#waiting.delete(look);
        resolve();
      };
      this.#waiting.add(look);
      look();
    });
  }
}
