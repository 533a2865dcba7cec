<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="de" sourcelanguage="en">
  <context>
    <name>AlgorithmRun</name>
    <message>
      <source>it failed; the log has the details</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>the algorithm {0} is not there: enable the plugin GeoConcept</source>
      <translation type="unfinished" />
    </message>
  </context>
  <context>
    <name>Bars</name>
    <message>
      <source>Strongest concepts of the place</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>pinned place: {0:.1f} %</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>{0:.1f} % of the reference places ({1}) score lower</source>
      <translation type="unfinished" />
    </message>
  </context>
  <context>
    <name>Catalogue</name>
    <message>
      <source>Drawing small maps</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Reading concepts</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>The profile cannot be written, so nothing is kept for the next start: {0}</source>
      <translation type="unfinished" />
    </message>
  </context>
  <context>
    <name>CompareConcepts</name>
    <message>
      <source>'{0}' is both concepts: choose two</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Both concepts and their difference</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Cell by cell</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Compare concepts</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Correlation over the area</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Correlation over the area: {0:.3f}</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>High: a {0} of {1:g} or more. Cells count by their area.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Kind of score</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>No cell of the area has a value: it lies at sea, or off the Earth.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Over this area their scores have a correlation of {0:.2f}.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Scores an area against two concepts and writes a GeoTIFF of three bands: the first, the second, and the first minus the second, in blue and red around zero.

Concepts: a name, one of your own concepts, or words ('words: olive groves').
Kind of score: percentiles can always be compared. Calibrated scores answer to how common each label is.
Cell size: in units of the CRS; 0 makes about 400 cells along the longer side.

The report tells how strongly the two go together over the area and where both, one or none is high, weighted by area. Two concepts that go together are associated with the same places; neither makes the other.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>The two concepts</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>To the right: {0}. Upwards: {1}. Yellow: much of the area (on a logarithmic scale).</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Where each is high</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>both high</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>both scores</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>calibrated: share of reference places with this score that carry the label (0 to 1)</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>concept</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>cosine: centred cosine, 0 is the average reference place</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>family</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>give one concept for {0}; got {1}</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>grade</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>neither high</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>only {0} high</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>percentile: reference places that score lower (0 to 100)</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>places with</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>share of the area</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>what it is</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>{0} and {1}</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>{0} minus {1}</source>
      <translation type="unfinished" />
    </message>
  </context>
  <context>
    <name>CompareLayers</name>
    <message>
      <source>Band</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Block, in degrees (0: automatic)</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Blocks</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Cells of the raster</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Compare with a layer</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Field</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>It is associated most with '{0}': Spearman {1:.2f} (95 % interval {2:.2f} to {3:.2f}).</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Kind of score</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Layer</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Places</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Seed of random draws</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Spearman's correlation is of ranks: it finds whatever rises together. The interval is where 95 % of resamples of whole blocks fall; places side by side are alike and count as one draw.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Spearman's correlation of the first concept</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Tells how strongly concepts go together with numbers that you have: a field of a vector layer, or a band of a raster.

Layer and field, or raster and band. Areas and lines count by a point on them. Features and cells without a value are counted and said.
Cells of the raster: so many are drawn at random.
Block: places within a block of this many degrees count as one draw, since places side by side are alike; 0 chooses a size that leaves at least 20 blocks.

The report gives Spearman's and Pearson's correlation with a 95 % interval from resampled blocks, and a picture of each. A correlation says that two things are associated; it does not say why.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Where the places lie.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>With so few blocks the intervals are too narrow: take them as a lower bound.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>all values of '{0}' are the same</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>field '{0}' holds no numbers</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>give either a layer with a field or a raster</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>no place on Earth, left out</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>none</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>only {0} blocks of {1:g} degrees: the intervals are too narrow</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>only {0} places have a value; a correlation needs at least {1}</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>or: raster</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>places</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>raster '{0}' has no CRS: set it first</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>raster '{0}' has {1} band(s), and no band {2}</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>raster '{0}' is no file that can be read</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>the layer has no field '{0}'; its numeric fields: {1}</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>without a value, left out</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>{0} beside concepts</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>{0} of {1:g} degrees</source>
      <translation type="unfinished" />
    </message>
  </context>
  <context>
    <name>ConceptAlgorithm</name>
    <message>
      <source>({0:g}, {1:g}) is no place on Earth: give longitude and latitude, or name its CRS</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>A place (instead of a layer)</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Area</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>CRS of the raster (default: that of the area)</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Cell size in units of the CRS (0: automatic)</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Concept</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Concept '{0}', grade {1}: {2}</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Concept (*.concept)</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Concept file (default: among your own concepts)</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Concepts</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Concepts (names, separated by semicolons)</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Explore</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>How to read this</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Kind of score</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Land only</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Model {0}, sha256 {1}; GeoConcept plugin {2}.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Names or aliases of concepts, of your own concepts, or words: 'words: olive groves by the sea'.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Own concepts</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Points inside each area or along each line</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Report</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Report: {0}</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Scores come from coordinates alone: from what a model has learned of which photos and words go with which places. They say what places are associated with, at a scale of {0:g} to {1:g} km; they are no observation, and nothing in them is a cause.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Stopped; nothing was written.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Web page (*.html)</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>a raster is written as GeoTIFF: its name must end in .tif; got {0}</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>automatic: calibrated, or percentile where a concept is not calibrated</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>calibrated: share of reference places with this score that carry the label (0 to 1)</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>cosine: centred cosine, 0 is the average reference place</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>folder {0} does not exist</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>give either a layer of places or a single place</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>layer '{0}' has no CRS: set it in the layer's properties</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>layer '{0}' has no feature that is a place on Earth: check its geometries and its CRS</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>layer '{0}' has no features</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>layer '{0}': {1} of {2} features are no place on Earth in its CRS and do not count</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>layer '{0}': {1} of {2} features have no geometry and do not count</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>percentile: reference places that score lower (0 to 100)</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>the name of file {0} must end in {1}</source>
      <translation type="unfinished" />
    </message>
  </context>
  <context>
    <name>ConceptColumns</name>
    <message>
      <source>Concept columns</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Copies a vector layer and adds one field a concept, with its score at each feature, and the field 'geoconcept_status'.

Concepts: names, your own concepts, or words ('words: olive groves'), separated by semicolons.
Where: one point on each feature, or the mean over several points spread inside it (areas and lines).

No feature is dropped: one without a geometry gets empty fields and the status 'missing', one that is no place on Earth 'not_projectable'. 'near_seam' and 'near_pole' mark places within half a degree of the antimeridian or a pole, where the model's scores jump.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Layer</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Layer with concepts</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Points inside each feature, for the mean</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Where in a feature</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>mean of several points inside</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>one point on the feature</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>the layer has fields of this name already: {0}. Rename or remove them first</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>{0} feature(s)</source>
      <translation type="unfinished" />
    </message>
  </context>
  <context>
    <name>ConceptField</name>
    <message>
      <source>Choose concepts from a list</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Concepts, separated by semicolons</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Names or aliases of concepts, of your own, or words: “words: olive groves by the sea”</source>
      <translation type="unfinished" />
    </message>
  </context>
  <context>
    <name>ConceptFromPlaces</name>
    <message>
      <source>A high score says that a place is like your places to the model. It is no probability that the thing occurs there: records show where people looked as much as where things are. Other places with the same bias, such as records of similar things by the same observers, take much of it away.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>AUROC in held-out blocks</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>AUROC is the chance that one of your places scores higher than one of the others: 0.5 is chance, 1 is perfect. The interval comes from resampled blocks. Where 'position alone' does as well, the concept may only know where your places are, not what they are like.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Calibration error</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Concept from places</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Concept: {0}</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Control: labels moved elsewhere</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Control: position alone</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Count places close together once</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Description, one sentence</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Fit</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Grade</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Grade {0}.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>How it was held out</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>It finds your places well where it was not fitted, and its scores mean what they say.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>It finds your places where it was not fitted; read single places with some care.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>It is better than its control, but weak: read its map with care.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>It is not better than its control: nothing here says that it has found anything.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Makes a concept of your own from example places, tests it on parts of the Earth that it did not see, and adds it to the list of concepts.

Places: points, lines or areas where the concept should be high; at least two, better dozens, far apart.
Other places: what to tell them from, such as absences or records of similar things. Without them, places are drawn at random over land.
Count places close together once: many records of one site are one place to the model (cells of 2.3 km).
Share of places that have it: what a calibrated score is measured against. At 0.5 a score above 0.5 means 'more typical of your places than of the others'; it is no probability of occurrence.
Concept file: without a name it goes among your own concepts, in the QGIS profile, and can be used by name at once. An own concept of the same name is replaced.
Map: where the concept is high, over the area of your places (optional).

The report shows the test: AUROC with its interval in held-out blocks, controls, calibration, a grade from A to D, and where the concept is known to go wrong. It does not say why places go together.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Map of the concept</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Name of the concept</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Only {0} places of yours count: the test, and the grade, rest on little.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Other places (default: drawn over land)</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Places drawn over land</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Places where the concept is high</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Scores of every place by a direction that was fitted without its block.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Seed of random draws</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Share of places that have it</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Ten groups of equal weight; on the dashed line a score means what it says.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>The places it was made from, over land; at most 2,000 of each are drawn.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>The test</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Told from</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>What it is not</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Where it is known to go wrong</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Your places</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>calibrated score</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>held-out score (centred cosine)</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>my concept</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>other places</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>share of places</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>share that are your places</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>your places</source>
      <translation type="unfinished" />
    </message>
  </context>
  <context>
    <name>ConceptFromWords</name>
    <message>
      <source>A tested concept reads much the same places: its evidence speaks for this one, too.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>About places, 0 to 1</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Concept from words</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Evidence</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>From a correlation of 0.7 with a concept of grade A or B on, the words are graded B.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Grade</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Grade B.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Grade {0}.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Ground truth</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Name (default: the words)</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Nearest tested concepts</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>No tested concept reads quite the same places: look at the map before you trust it.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Percentile over land: yellow where few places score higher, violet where most do.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Read by</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>These words are probably about no place: the map means nothing.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Top 1 % of land stands out by</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Turns a word, a name or a sentence into a concept, adds it to the list of concepts, and tells what speaks for it and against it.

Words: English, for example 'olive groves by the sea'. A small table of some 30,000 words and names is read; words that are not in it are named and do not count.
Name: default is the words themselves.
Concept file: without a name it goes among your own concepts, in the QGIS profile, and can be used by name at once.

Nobody has marked the places that words are about, so such a concept has percentiles but no calibration. Its grade, B at best, rests on whether a tested concept reads much the same places; D means that the words are probably about no place.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Vocabulary</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Words</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Words that are not known</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Words: {0}</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>concept</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>correlation over land</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>grade</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>what it is</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>{0} standard deviations</source>
      <translation type="unfinished" />
    </message>
  </context>
  <context>
    <name>ConceptGrid</name>
    <message>
      <source>Area</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>CRS of the grid (default: that of the area)</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Cell size in units of the CRS (0: automatic)</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Concept grid</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Covers an area with hexagons or squares and scores each of them against concepts: one field a concept.

Cell size: distance between the middles of neighbours, in units of the CRS; 0 makes about 80 cells along the longer side. Choose a CRS in metres for cells of equal size.
Points in a cell: its middle alone, or the mean of seven points spread inside it.
Land only: cells whose middle lies at sea are left out; the concepts were tested on land.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Land only</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Points in a cell</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Shape</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>hexagons</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>its middle</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>mean of seven points</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>no cell of this grid lies on land: choose another area, or allow the sea</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>squares</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>{0} cells</source>
      <translation type="unfinished" />
    </message>
  </context>
  <context>
    <name>ConceptModel</name>
    <message>
      <source>family {0}, grade {1}</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>none</source>
      <translation type="unfinished" />
    </message>
  </context>
  <context>
    <name>ConceptPicker</name>
    <message>
      <source>Choose concepts</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Search names, families, descriptions</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>none chosen</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>{0} chosen: {1}</source>
      <translation type="unfinished" />
    </message>
  </context>
  <context>
    <name>ConceptRaster</name>
    <message>
      <source> and {0} more</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Area</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>CRS of the raster (default: that of the area)</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Cell size in units of the CRS (0: automatic)</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Concept raster</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Land only</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Scores every cell of an area against concepts and writes a GeoTIFF, one band a concept, in colours with a fixed range, so that maps can be compared.

Concepts: names, your own concepts, or words ('words: olive groves'), separated by semicolons.
Cell size: in units of the CRS; 0 makes about 400 cells along the longer side. The model tells places apart from about 10 km on: smaller cells look smoother, they do not say more.
Show: the scores of each concept in a band of its own, or a map of the concept that scores highest, for 2 to 24 concepts; percentiles are the fairest to compare.
Land only: cells at sea get no value. The concepts were tested on land.

A score says what a place is associated with; it is no observation.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Show</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>dominant concept</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>dominant of {0} concepts</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>one band of scores for each concept</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>the dominant concept, one colour each</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>the dominant one of {0} concepts cannot be drawn: name 2 to {1}</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>{0} x {1} cells, {2} concept(s), {3} scores</source>
      <translation type="unfinished" />
    </message>
  </context>
  <context>
    <name>ConceptTab</name>
    <message>
      <source>&amp;Keep as layer</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>&amp;Preview on the map</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>All families</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>All grades</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Alt+P</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Choose a concept to see what is known about it.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Compute a raster layer of the map's extent, in the CRS of the map</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Concepts</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Delete</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Delete the file {0}? This cannot be undone.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Delete…</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Draw the concept over the map, wherever it goes; it is not a layer</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Finds names, other names, families and descriptions. Return chooses the first.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Grade A</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Grades A and B</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Grades A to C</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>How well a concept did in the test: A is best, D did no better than chance</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Layer: {0}</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>New name</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>No concept of this kind. You can read your text as words instead.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Opacity</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Opacity of the preview</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Open folder</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Read the text as a description of places, whatever concepts there are</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Read “{0}” as words</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Reading concepts…</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Reading words</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Rename</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Rename…</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Search concepts, or write any words</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Show one family of concepts</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>The layer “{0}” is on top of the map.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>The map shows no part of the Earth: zoom to it first, or set the CRS of the project.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Try again</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>drawing…</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>fine</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>refining, {0:.0f} %</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>{0} of {1} concepts</source>
      <translation type="unfinished" />
    </message>
  </context>
  <context>
    <name>Desktop</name>
    <message>
      <source>Click a place</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Click on the map to see the strongest concepts of a place</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Options…</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Show or hide the dock GeoConcept</source>
      <translation type="unfinished" />
    </message>
  </context>
  <context>
    <name>Dock</name>
    <message>
      <source>&amp;Concept</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>La&amp;yer</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>P&amp;hoto</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>P&amp;lace</source>
      <translation type="unfinished" />
    </message>
  </context>
  <context>
    <name>DropArea</name>
    <message>
      <source>Drop a photo here
(jpg, png, webp, heic, or a vector as .npy)</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>{0}
(no small picture of this kind of file)</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>{0} is neither a photo nor a vector: take one of {1}</source>
      <translation type="unfinished" />
    </message>
  </context>
  <context>
    <name>Job</name>
    <message>
      <source>there is not enough memory for this</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>{0}: {1} (the log has the details)</source>
      <translation type="unfinished" />
    </message>
  </context>
  <context>
    <name>JobList</name>
    <message>
      <source>Cancel</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Stop; nothing half-made is kept</source>
      <translation type="unfinished" />
    </message>
  </context>
  <context>
    <name>LayerTab</name>
    <message>
      <source> points inside</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>&amp;Add concepts</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Automatic: calibrated, or the percentile where a concept is not calibrated, such as words</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Concepts</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Fields for {0}</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Into</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Layer</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>One field a concept, and one that says what became of each feature. No feature is dropped: one that is no place on Earth gets empty fields.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Points, lines or areas, in any CRS</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Score</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>The layer has been removed meanwhile; nothing was changed.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>The layer is put into editing; you decide whether to save</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>The layer with concepts is on top of the map.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>The project has no vector layer: add one, then choose it here.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Where</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>a new layer</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>automatic</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>calibrated (0 to 1)</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>centred cosine (-1 to 1)</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>mean of</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>one point on each feature</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>percentile (0 to 100)</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>this layer: add the fields to it</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>{0} fields were added to {1}: save the edits to keep them.</source>
      <translation type="unfinished" />
    </message>
  </context>
  <context>
    <name>Messages</name>
    <message>
      <source>Show log</source>
      <translation type="unfinished" />
    </message>
  </context>
  <context>
    <name>OptionsPage</name>
    <message>
      <source>Cache</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Clear</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Copy diagnostics</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Delete what can be made again: small maps, embedded galleries</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Diagnostics</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Log</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Measuring…</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>My concepts</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Open</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Put them on the clipboard, for a report of a problem</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Show log</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>What the plugin does and what went wrong</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>{0:.1f} MB</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>{0:.1f} MB were freed.</source>
      <translation type="unfinished" />
    </message>
  </context>
  <context>
    <name>PhotoTab</name>
    <message>
      <source>&amp;Locate</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>&amp;Open…</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Choose a photo, or a vector of one</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Click a place to see it on the map</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Locating {0}</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Open a photo</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Photos and vectors ({0})</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>The best places appear here, most likely first; heatmap and areas become layers.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>{0}.  {1:.2f}° {2}, {3:.2f}° {4}   {5:.1%}</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>{0}. It has no EXIF position.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>{0}. Its EXIF position is {1:.4f}, {2:.4f} (lat, lon): shown, never used.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>{0}: a vector; it needs no engine</source>
      <translation type="unfinished" />
    </message>
  </context>
  <context>
    <name>PlaceProfile</name>
    <message>
      <source>... and {0} places more, in the table only.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Concepts a place</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Its vector as a sum of {0} concepts:</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Its vector is no sum of these concepts.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>None of these concepts is more likely here than elsewhere.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Percentile: share of the concept's reference places that score lower.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Place profile</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Place profile: {0}</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Place profiles</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Place profiles: {0} places</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Places</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Status</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Table of profiles</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Tells what a place, or each place of a layer, is associated with: its strongest concepts with their evidence, and its vector as a sum of few concepts, with how much that sum leaves untold.

Place: a point on the map, or a layer of at most 1,000 features; areas and lines count by a point on them.
Concepts: empty means all but those of grade D.
Strongest means most informative: what the calibrated score tells about the label beyond how common it is. A percentile treats a common label like a rare one.
Table: one row a place and concept (optional).

The report shows up to 25 places. Scores are associations, no observations.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>The sum has cosine {0:.2f} with the place's own vector ({1:.2f} without what all places share); it leaves {2:.0%} of what sets the place apart untold.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Weakest grade among them - {0}.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>What the model associates with it; nothing was observed there.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Where</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>nothing is to be written: choose a report, a table, or both</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>place</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>{0} places are more than {1}: select fewer, or use 'Concept columns' for a whole layer</source>
      <translation type="unfinished" />
    </message>
  </context>
  <context>
    <name>PlaceTab</name>
    <message>
      <source>&amp;Click a place on the map</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>All families</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Bars: percentile, the share of reference places that score lower. Associated with, not observed.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Click on the map to see the strongest concepts there; drag to pan</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Keep this place and compare the next one with it</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Largest difference</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Largest difference needs a pinned place</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>P&amp;in</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Press the button, then click on the map:
the strongest concepts of the place appear here.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Reading a place</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Strongest here</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>This point of the map is no place on Earth.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>compared with {0} (lower bars)</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>pinned: now click another place</source>
      <translation type="unfinished" />
    </message>
  </context>
  <context>
    <name>Preview</name>
    <message>
      <source>Preview: {0}</source>
      <translation type="unfinished" />
    </message>
  </context>
  <context>
    <name>SimilarPlaces</name>
    <message>
      <source>Agreement of the seeds</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Map of likeness</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Maps how much places are like some seed places, and says which concepts carry the likeness.

Seeds: a layer, or a single place. What they share is sought, so choose seeds that have something in common.
Value: percentile is the share of the land that is less like the seeds (0 to 100); likeness is the centred cosine (-1 to 1), 0 for the average place on land, 1 for the seeds' own mean.
Cell size: in units of the CRS; 0 makes about 400 cells along the longer side.

Near the seeds the map is high for no better reason than that they are near. Likeness is likeness to the model: of what places are associated with, not of anything measured there.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Mean cosine between them</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Percentile and calibrated score: means over the seeds.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Seed places</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Seeds</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Similar places</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Similar places: {0}</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Table of concepts</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>The seeds have little in common (mean cosine {0:.2f}, 0 for places at random): their mean may stand for none of them. Try fewer, or a map for each kind.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>The seeds.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Value</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>What carries the likeness</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>What the seeds share</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>What the seeds share is associated most with: {0}.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>What the seeds share, written as a sum of few concepts. It leaves {0:.0%} of it untold.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>Where</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>likeness, -1 to 1</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>none of the concepts</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>percentile of the land, 0 to 100</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>seeds</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>{0} seed(s), mean cosine between them {1:.2f}</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>{0} seeds: {1} of them, drawn at random, are used</source>
      <translation type="unfinished" />
    </message>
  </context>
  <context>
    <name>service</name>
    <message>
      <source>To read it as words, write '{0} {1}'.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>did you mean {0}?</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>no concept is named: choose at least one</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>no concept {0!r}.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <source>there is not enough memory for this: choose a smaller area or larger cells</source>
      <translation type="unfinished" />
    </message>
  </context>
</TS>
