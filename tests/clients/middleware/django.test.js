import { suite } from './suite.js';

suite('Django REST framework');
