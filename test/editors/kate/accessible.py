"""What a screen reader finds on the screen, as JSON: of each element that is shown its role, name, text, and place."""

import json

import pyatspi


def walk(node, found):
    try:
        if node.getState().contains(pyatspi.STATE_SHOWING):
            found.append(describe(node))
        for index in range(node.childCount):
            child = node.getChildAtIndex(index)
            if child is not None:
                walk(child, found)
    except LookupError:
        pass  # It went away meanwhile.


def describe(node):
    element = {"role": node.getRoleName(), "name": node.name, "text": "", "x": 0, "y": 0, "width": 0, "height": 0}
    try:
        element["text"] = node.queryText().getText(0, -1)
    except NotImplementedError:
        pass
    try:
        place = node.queryComponent().getExtents(pyatspi.DESKTOP_COORDS)
        element.update(x=place.x, y=place.y, width=place.width, height=place.height)
    except NotImplementedError:
        pass
    return element


elements = []
desktop = pyatspi.Registry.getDesktop(0)
for number in range(desktop.childCount):
    application = desktop.getChildAtIndex(number)
    if application is not None:
        walk(application, elements)
print(json.dumps(elements))
