// What to do, where the answer will be, until there is one.

import { useGraphiQL } from '@graphiql/react';

const RUN_KEYS = /Mac|iPhone|iPad/.test(navigator.platform) ? '⌘ Enter' : 'Ctrl Enter';

export function FirstSteps() {
  const isEmpty = useGraphiQL((state) => !state.isFetching && !state.tabs[state.activeTabIndex]?.response);
  if (!isEmpty) return null;
  return (
    <div className="first-steps">
      <p>Nothing has run in this tab.</p>
      <ol>
        <li>Put your token in place of <code>twr_...</code> under Headers. One serves all tabs.</li>
        <li>Press Run, the coloured button, or <kbd>{RUN_KEYS}</kbd>.</li>
      </ol>
      <p>The answer will be here.</p>
    </div>
  );
}
