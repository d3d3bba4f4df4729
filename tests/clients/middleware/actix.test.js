import { suite } from './suite.js';

suite('actix-web');
